"""The command ``streamwatch``: finds each sub-command's file, and turns errors into exit codes."""

import importlib
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from streamwatch import __version__
from streamwatch.errors import StreamwatchError

COMMANDS = {
    "backtest": "what the settings would have said of files: incidents and a scorecard",
    "completion": "print the script by which a shell completes commands",
    "config": "check, show or describe the configuration",
    "db": "create, migrate or prune the database",
    "demo": "the whole story on one machine, with faults injected and found",
    "detect": "judge any series of numbers over time, row by row",
    "diagnose": "say where an incident came in, and show it",
    "doctor": "find frequent mistakes with Kafka, database, Prometheus and configuration",
    "evidence": "pack what proves to the client that it sent something so",
    "incidents": "list, show and acknowledge incidents",
    "init": "look at a file or a topic, and propose a configuration",
    "privacy": "exchange or forget a shop's key, and what it made joinable",
    "replay": "send files into Kafka, optionally in accelerated time",
    "rules": "make the files of Prometheus, Alertmanager and Grafana",
    "simulate": "write events of simulated shops, and the truth about their faults",
    "taps": "list, check, test and reload the tap configuration; export tap rows",
    "topics": "create or check the Kafka topics",
    "watch": "take a file or standard input through the pipeline, without a broker",
    "web": "serve the pages and the JSON API",
    "worker": "run a worker on Kafka",
}
"""Sub-command → one line of help; the command itself is ``command`` in the file of its name."""


class LazyGroup(click.Group):
    """Imports a command only when it is called, so that ``--help`` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names, in the order of the alphabet."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"streamwatch.cli.{name}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What may come next, without importing any command."""
        found = [
            CompletionItem(name, help=line)
            for name, line in sorted(COMMANDS.items())
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=LazyGroup, epilog="Start with: streamwatch demo")
@click.version_option(__version__, prog_name="streamwatch")
def streamwatch() -> None:
    """Watch partners' event streams: each shop's normal, and the stage where a shift came in."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits 0 fine, 1 findings, 2 usage or configuration, 3 failure."""
    try:
        result: Any = streamwatch.main(args=arguments, standalone_mode=False)
    except StreamwatchError as error:
        click.echo(f"streamwatch: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    sys.exit(result if isinstance(result, int) else 0)
