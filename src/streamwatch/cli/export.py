"""``streamwatch taps export``: tap tables into a Parquet file."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from streamwatch.adapters.parquet_taps import Wanted, export_taps
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.migrations import check_migrated
from streamwatch.cli.database import database_option, opened
from streamwatch.cli.output import OK, json_option, print_json, settings_option
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.errors import ConfigurationError

_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.command(
    epilog="\b\nExamples:\n"
    "  streamwatch taps export widget-event --to taps.parquet\n"
    "  streamwatch taps export widget-event --to taps.parquet --stage decode --stage normalise \\\n"
    "      --shop shop-003 --since 2026-11-01\n"
    "  duckdb -c \"SELECT stage, avg(height) FROM 'taps.parquet' GROUP BY stage\""
)
@click.argument("event", type=click.Choice(sorted(EVENT_TYPES)))
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The Parquet file to write.",
)
@click.option("--stage", "stages", multiple=True, help="Only this stage; may be given again.")
@click.option("--shop", "shops", multiple=True, help="Only this shop; may be given again.")
@click.option("--since", type=_DAY, default=None, help="Event times from this one on (UTC).")
@click.option("--until", type=_DAY, default=None, help="Event times before this one (UTC).")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@database_option
@settings_option
@json_option
def export(
    event: str,
    to: Path,
    stages: tuple[str, ...],
    shops: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    force: bool,
    database: str | None,
    settings_file: str | None,
    as_json: bool,
) -> int:
    """Write the tap rows of an event type into one Parquet file, for DuckDB, polars or pandas.

    All stages stand in it, one below the other, with the column `stage` in front.
    """
    if to.exists() and not force:
        raise ConfigurationError(f"{to} would be overwritten: add --force, or another name")
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    wanted = Wanted(event, stages, shops, _milliseconds(since), _milliseconds(until))
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        counts = export_taps(engine, settings, wanted, to)
    if as_json:
        print_json({"file": str(to), "rows": counts})
        return OK
    for stage, count in counts.items():
        click.echo(f"{count:>12,}  {stage}")
    click.echo(f"wrote {to}, {to.stat().st_size:,} bytes", err=True)
    return OK


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.replace(tzinfo=UTC).timestamp() * 1000)
