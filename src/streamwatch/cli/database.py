"""Which database a command works on: its option, else the settings."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Engine

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.engine import create_engine_for

_Command = TypeVar("_Command", bound=Callable[..., Any])


def database_option(command: _Command) -> _Command:
    """Adds ``--database URL``; the function gets it as ``database``."""
    option = click.option(
        "--database",
        metavar="URL",
        default=None,
        help="sqlite:///FILE or postgresql://USER@HOST/NAME (default: `database` of the settings).",
    )
    return option(command)


@contextmanager
def opened(database: str | None, settings_file: str | None) -> Iterator[Engine]:
    """An engine for the option or else the settings, closed at the end.

    Raises:
        ConfigurationError: the settings are wrong.
        DatabaseError: the address is wrong.
    """
    if database is None:
        path = Path(settings_file) if settings_file else None
        database = load_settings(path, os.environ).database
    engine = create_engine_for(database)
    try:
        yield engine
    finally:
        engine.dispose()


def written_time(milliseconds: int) -> str:
    """A moment as tables and texts show it, in UTC to the minute.

    >>> written_time(1_772_357_400_250)
    '2026-03-01 09:30'
    """
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")
