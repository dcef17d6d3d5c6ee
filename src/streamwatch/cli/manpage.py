"""The man page, made from the commands themselves: ``python -m streamwatch.cli.manpage``."""

import re
import sys
from collections.abc import Iterator

import click

from streamwatch import __version__
from streamwatch.adapters.settings.environment import ELSEWHERE
from streamwatch.cli.main import COMMANDS, streamwatch

SUMMARY = "learn each shop's normal on event streams, and name the stage where a shift came in"
EXITS = (
    ("0", "all is well"),
    ("1", "something was found: incidents are open, a check failed"),
    ("2", "the command line or a configuration file is wrong"),
    ("3", "a service does not answer"),
)
FILES = (
    ("streamwatch.yaml", "the configuration, in the working folder"),
    ("tap_config/", "the taps, one a file"),
    (".streamwatch.key", "the master key of the pseudonyms, made on first use"),
)


def man_page() -> str:
    """The whole page, in roff."""
    lines = [
        f'.TH STREAMWATCH 1 "" "streamwatch {__version__}" "User Commands"',
        ".SH NAME",
        escaped(f"streamwatch - {SUMMARY}"),
        ".SH SYNOPSIS",
        ".B streamwatch",
        r"[\fB\-\-version\fR] [\fB\-\-help\fR] \fICOMMAND\fR [\fIARGUMENT\fR ...]",
        ".SH DESCRIPTION",
        *_text(streamwatch.help or ""),
        escaped("Data goes to standard output, progress and messages to standard error."),
        ".SH COMMANDS",
    ]
    context = click.Context(streamwatch, info_name="streamwatch")
    for name in sorted(COMMANDS):
        command = streamwatch.get_command(context, name)
        if command is not None:
            lines += _command(command, context, f"streamwatch {name}")
    lines += [".SH EXIT STATUS", *_list(EXITS)]
    lines += [".SH ENVIRONMENT"]
    lines.append(escaped("Every setting of the configuration has a variable that goes over it:"))
    lines.append(escaped("see streamwatch config --help. Beside them:"))
    lines += [line for name in ELSEWHERE for line in (".TP", f".B {escaped(name)}")]
    lines += [".SH FILES", *_list(FILES)]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    """A command's part, and those of its sub-commands."""
    context = click.Context(command, parent=parent, info_name=name.rpartition(" ")[2])
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".SS {escaped(f'{name} {usage}')}"
    yield from _text(command.help or "")
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and parameter.name != "help":
            yield ".TP"
            yield f".B {escaped(record[0])}"
            yield escaped(record[1]) or r"\&"
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            if found is not None:
                yield from _command(found, context, f"{name} {sub}")
    elif command.epilog:
        yield ".PP"
        yield from _text(command.epilog)


def _text(text: str) -> Iterator[str]:
    """Paragraphs; those that begin with click's mark stay as they are laid out."""
    for place, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if place:
            yield ".PP"
        if paragraph.lstrip().startswith("\b"):
            kept = paragraph.lstrip().removeprefix("\b").strip("\n")
            yield ".nf"
            yield from map(escaped, kept.splitlines())
            yield ".fi"
        else:
            yield escaped(" ".join(paragraph.split()))


def _list(entries: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, meaning in entries:
        yield ".TP"
        yield f".B {escaped(name)}"
        yield escaped(meaning)


def escaped(text: str) -> str:
    r"""A line of text as roff takes it.

    >>> escaped("--out FILE"), escaped(".hidden")
    ('\\-\\-out FILE', '\\&.hidden')
    """
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe


if __name__ == "__main__":
    sys.stdout.write(man_page())
