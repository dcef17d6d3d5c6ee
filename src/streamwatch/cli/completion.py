"""``streamwatch completion``: the script by which a shell completes commands and options."""

import click
from click.shell_completion import get_completion_class

from streamwatch.cli.output import OK, json_option, print_json
from streamwatch.errors import ConfigurationError

PROGRAM = "streamwatch"
VARIABLE = "_STREAMWATCH_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="\b\nExamples:\n"
    "  streamwatch completion bash > ~/.local/share/bash-completion/completions/streamwatch\n"
    "  streamwatch completion zsh > ~/.zfunc/_streamwatch      with fpath+=~/.zfunc in .zshrc\n"
    "  streamwatch completion fish > ~/.config/fish/completions/streamwatch.fish"
)
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
def command(shell: str, as_json: bool) -> int:
    """Print what a SHELL reads to complete commands and options."""
    script = completion_script(shell)
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
    return OK


def completion_script(shell: str) -> str:
    """The script of one shell.

    Raises:
        ConfigurationError: the shell is too old for it.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise ConfigurationError(f"no completion for {shell}; there are: {', '.join(SHELLS)}")
    # Made without its constructor's command, which a script does not need.
    found = kind(click.Command(PROGRAM), {}, PROGRAM, VARIABLE)
    return found.source_template % found.source_vars()
