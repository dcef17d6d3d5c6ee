"""``streamwatch taps reload`` and ``freeze``: what concerns the workers that run."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import click
from sqlalchemy import Engine

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.settings.tap_files import load_tap_files
from streamwatch.adapters.settings.tap_folder import folder_version
from streamwatch.adapters.sql.migrations import check_migrated
from streamwatch.adapters.sql.recorded import ask_to_freeze, count_recorded
from streamwatch.adapters.sql.tap_versions import TapVersion, workers
from streamwatch.cli.aligned import aligned
from streamwatch.cli.database import database_option, opened, written_time
from streamwatch.cli.output import FINDINGS, OK, json_option, print_json, settings_option
from streamwatch.taps.inline_tests import unmet

PAUSE_SECONDS = 0.5

wait_option = click.option(
    "--wait",
    "patience",
    type=click.FloatRange(0, 3600),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the workers; 0 only tells how they stand.",
)


@click.command(
    epilog="\b\nExamples:\n  streamwatch taps reload\n  streamwatch taps reload --wait 0 --json"
)
@wait_option
@database_option
@settings_option
@json_option
def reload(patience: float, database: str | None, settings_file: str | None, as_json: bool) -> int:
    """Check the tap folder, and wait until every running worker uses what is in it.

    Workers look at their folder every second by themselves. The exit code is 2 if a file is
    wrong or one of its tests differs (the workers then keep the old taps), and 1 if a worker
    does not follow in time.
    """
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    folder = Path(settings.taps)
    loaded = load_tap_files(folder, settings)
    differing = [
        f"{one.file}: {test.name}: {text}"
        for one in loaded
        for test in one.tests
        for text in unmet(one.tap, test)
    ]
    version = folder_version(folder)
    if not as_json:
        for text in differing:
            click.echo(f"{text}; the workers take it nevertheless", err=True)
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        found = _wait(engine, patience, lambda rows: all(_is_settled(one, version) for one in rows))
    following = [one for one in found if one.version == version]
    if as_json:
        print_json(
            {
                "version": version,
                "taps": [one.tap.name for one in loaded],
                "workers": found,
                "ok": len(following) == len(found) and not differing,
            }
        )
    else:
        click.echo(f"The folder {folder} holds {len(loaded)} taps, version {version}.")
        _print(found, version)
    return OK if len(following) == len(found) and not differing else FINDINGS


@click.command(
    epilog="\b\nExamples:\n"
    "  streamwatch taps freeze --shop shop-017\n"
    "  streamwatch taps freeze --shop shop-017 --wait 10 --json"
)
@click.option("--shop", required=True, help="Whose recent records are written down.")
@wait_option
@database_option
@settings_option
@json_option
def freeze(
    shop: str, patience: float, database: str | None, settings_file: str | None, as_json: bool
) -> int:
    """Write down what the workers' flight recorders hold of a shop.

    The rows go into the table `recorded_rows`, under the id that is told. For an incident this
    happens by itself when it opens.
    """
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        reason = ask_to_freeze(engine, shop, time.time_ns() // 1_000_000)
        rows = _settled_count(engine, reason, patience)
    if as_json:
        print_json({"id": reason, "shop": shop, "rows": rows})
    elif rows:
        click.echo(f"{rows} rows of {shop} stand in recorded_rows under the id\n{reason}")
    else:
        click.echo(f"No worker has written anything of {shop} yet; the id is\n{reason}")
    return OK if rows else FINDINGS


def _settled_count(engine: Engine, reason: str, patience: float) -> int:
    """The rows, once no worker adds any more."""
    ends = time.monotonic() + patience
    before = -1
    while (rows := count_recorded(engine, reason)) != before or not rows:
        before = rows
        if time.monotonic() >= ends:
            break
        time.sleep(min(2.0, patience))
    return rows


def _wait(
    engine: Engine, patience: float, settled: Callable[[list[TapVersion]], bool]
) -> list[TapVersion]:
    ends = time.monotonic() + patience
    while True:
        found = workers(engine, time.time_ns() // 1_000_000)
        if settled(found) or time.monotonic() >= ends:
            return found
        time.sleep(PAUSE_SECONDS)


def _is_settled(one: TapVersion, version: str) -> bool:
    return one.version == version or (one.offered == version and bool(one.error))


def _print(found: list[TapVersion], version: str) -> None:
    if not found:
        click.echo("No worker runs on this database; the next one that starts will use them.")
        return
    rows = [
        (one.worker, one.version, "yes" if one.version == version else "NO",
         written_time(one.loaded_at))
        for one in found
    ]  # fmt: skip
    click.echo(aligned(("worker", "version", "follows", "loaded (UTC)"), rows))
    for one in found:
        if one.error:
            click.echo(f"{one.worker} keeps its old taps:\n{one.error}")
