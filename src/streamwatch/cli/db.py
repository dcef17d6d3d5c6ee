"""``streamwatch db``: create, migrate, inspect and prune the database."""

import os
import time
from pathlib import Path

import click
import msgspec
from sqlalchemy import Engine

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.settings.tap_files import load_taps
from streamwatch.adapters.sql.engine import shown
from streamwatch.adapters.sql.migrations import (
    check_migrated,
    current_revision,
    downgrade,
    head_revision,
    is_behind,
    upgrade,
)
from streamwatch.adapters.sql.prune import prune
from streamwatch.adapters.sql.prune_taps import Kept
from streamwatch.adapters.sql.status import PartitionStatus, partition_statuses
from streamwatch.adapters.sql.tap_schema import prepare_tap_tables
from streamwatch.cli.aligned import aligned
from streamwatch.cli.database import database_option, opened, written_time
from streamwatch.cli.output import (
    FINDINGS,
    OK,
    json_option,
    print_json,
    progress,
    settings_option,
)

COUNTS = {
    "in": "records_in",
    "aggregated": "aggregated",
    "rejected": "rejected",
    "dead letters": "dead_lettered",
    "duplicates": "duplicates",
    "gaps": "gaps",
}
"""Heading → field of the accounting."""


@click.group(
    epilog="\b\nExamples:\n"
    "  streamwatch db upgrade\n"
    "  streamwatch db upgrade --database postgresql://streamwatch@db/streamwatch\n"
    "  streamwatch db status --json"
)
def command() -> None:
    """Create, migrate, inspect and prune the database."""


@command.command("upgrade", epilog="\b\nExample:\n  streamwatch db upgrade")
@database_option
@settings_option
@json_option
def upgrade_(database: str | None, settings_file: str | None, as_json: bool) -> int:
    """Create the database, or bring it to the revision of this version.

    Tap tables of your own stages, and columns that taps rename, are made as well.
    """
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    taps = load_taps(Path(settings.taps), settings)
    with opened(database, settings_file) as engine:
        before = current_revision(engine)
        after = upgrade(engine)
        prepare_tap_tables(engine, settings, taps)
        return _report(engine, before, after, as_json=as_json)


@command.command(
    "downgrade",
    epilog="\b\nExamples:\n"
    "  streamwatch db downgrade 0001\n"
    "  streamwatch db downgrade base --yes      (drops everything)",
)
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
@settings_option
@json_option
def downgrade_(
    revision: str, yes: bool, database: str | None, settings_file: str | None, as_json: bool
) -> int:
    """Go back to an older REVISION, dropping the tables that it does not have."""
    with opened(database, settings_file) as engine:
        before = current_revision(engine)
        if not yes:
            click.confirm(
                f"This drops tables of {shown(engine.url)} with all their rows. Go on?",
                abort=True,
                err=True,
            )
        after = downgrade(engine, revision)
        return _report(engine, before, after, as_json=as_json)


@command.command("prune", epilog="\b\nExample:\n  streamwatch db prune")
@database_option
@settings_option
@json_option
def prune_(database: str | None, settings_file: str | None, as_json: bool) -> int:
    """Delete rows that have been kept long enough.

    Tap rows are kept as their tap's file says, refused records for 30 days, verdicts and
    stage statistics for 400.
    """
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    taps = load_taps(Path(settings.taps), settings)
    kept = {tap.name: Kept(tap.retention, tap.max_rows, tap.max_bytes) for tap in taps}
    deleted: dict[str, int] = {}
    with opened(database, settings_file) as engine, progress() as bar:
        check_migrated(engine)
        task = bar.add_task("pruning", total=None)
        for table, rows in prune(engine, time.time_ns() // 1_000_000, kept):
            deleted[table] = rows
            bar.advance(task)
    if as_json:
        print_json({"deleted": deleted})
        return OK
    for table, rows in deleted.items():
        if rows:
            click.echo(f"{table}: {rows} rows deleted")
    if not any(deleted.values()):
        click.echo("Nothing was old enough to be deleted.")
    return OK


@command.command(epilog="\b\nExamples:\n  streamwatch db status\n  streamwatch db status --json")
@database_option
@settings_option
@json_option
def status(database: str | None, settings_file: str | None, as_json: bool) -> int:
    """Show the revision, how far each partition is read, and where its records went.

    The exit code is 1 when the database needs an upgrade or an accounting does not add up.
    """
    with opened(database, settings_file) as engine:
        have, need = current_revision(engine), head_revision()
        behind = is_behind(have, need)
        partitions = [] if behind else partition_statuses(engine)
        name = shown(engine.url)
    adds_up = all(one.accounting is None or one.accounting.adds_up for one in partitions)
    if as_json:
        print_json(
            {
                "database": name,
                "revision": have,
                "needed": need,
                "adds_up": adds_up,
                "partitions": msgspec.to_builtins(partitions),
            }
        )
    elif behind:
        click.echo(f"{name} is at revision {have or 'none'}, needed is {need}.")
        click.echo("Run: streamwatch db upgrade")
    else:
        fits = "as needed" if have == need else f"newer than {need}, which is needed"
        click.echo(f"{name} is at revision {have}, {fits}.")
        _print_partitions(partitions)
    return OK if adds_up and not behind else FINDINGS


def _print_partitions(partitions: list[PartitionStatus]) -> None:
    if not partitions:
        click.echo("No partition was read yet. Start with: streamwatch worker")
        return
    headings = ("step", "topic", "partition", "next offset", "written (UTC)", *COUNTS, "adds up")
    click.echo(aligned(headings, [_partition_row(one) for one in partitions]))


def _partition_row(one: PartitionStatus) -> tuple[str, ...]:
    counts = one.accounting
    numbers = [str(getattr(counts, name)) if counts else "" for name in COUNTS.values()]
    adds_up = "" if counts is None else "yes" if counts.adds_up else "NO"
    where = (one.step, one.topic, str(one.partition), str(one.next_offset))
    return (*where, written_time(one.updated_at), *numbers, adds_up)


def _report(engine: Engine, before: str | None, after: str | None, *, as_json: bool) -> int:
    name = shown(engine.url)
    if as_json:
        print_json({"database": name, "before": before, "after": after})
    elif before == after:
        click.echo(f"{name} was at revision {after or 'none'} already.")
    else:
        click.echo(f"{name} went from revision {before or 'none'} to {after or 'none'}.")
    return OK
