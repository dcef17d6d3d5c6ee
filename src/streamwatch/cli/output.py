"""How every command answers: JSON for machines, text for people, progress on terminals only."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SCHEMA_VERSION = 1
PLAIN_WIDTH = 160
OK, FINDINGS, USAGE, FAILURE = 0, 1, 2, 3

_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """Adds ``--json``; the function gets it as ``as_json``."""
    option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for machines.")
    return option(command)


def settings_option(command: _Command) -> _Command:
    """Adds ``--settings FILE``; the function gets it as ``settings_file``."""
    option = click.option(
        "--settings",
        "settings_file",
        type=click.Path(dir_okay=False),
        default=None,
        help="Configuration file (default: streamwatch.yaml in this folder, if there is one).",
    )
    return option(command)


def print_json(answer: Mapping[str, Any]) -> None:
    """One JSON object with its schema version, on standard output."""
    body = msgspec.json.encode({"schema_version": SCHEMA_VERSION, **answer})
    click.echo(msgspec.json.format(body, indent=2).decode())


def console() -> Console:
    """For tables and text on standard output; where that is no terminal, plain and wide."""
    screen = Console()
    return screen if screen.is_terminal else Console(width=PLAIN_WIDTH)


def progress() -> Progress:
    """A progress bar on standard error; silent unless that is a terminal."""
    screen = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=screen,
        disable=not screen.is_terminal,
        transient=True,
    )
