"""``streamwatch config``: check, show or describe the configuration."""

import os
from pathlib import Path

import click
import msgspec

from streamwatch.adapters.settings.environment import unknown_variables, variables
from streamwatch.adapters.settings.loading import DEFAULT_FILE, load_settings
from streamwatch.adapters.settings.tap_files import load_taps
from streamwatch.adapters.settings.text import (
    plain_settings,
    plain_tap,
    settings_schema,
    settings_yaml,
    tap_schema,
)
from streamwatch.adapters.yaml.located import FileError
from streamwatch.cli.output import OK, USAGE, json_option, print_json, settings_option
from streamwatch.cli.problems import as_rows
from streamwatch.domain.settings import Settings
from streamwatch.incidents.budget import expected_false_pages

FLEETS = (1_000, 10_000, 100_000)
"""KPIs for which the expected false incidents are told."""

_VARIABLES = "\n".join(f"  {name}" for name in sorted(variables()))


@click.group(
    epilog="\b\nExamples:\n"
    "  streamwatch config check\n"
    "  streamwatch config check /etc/streamwatch.yaml --json\n"
    "  STREAMWATCH_METRICS_PORT=9500 streamwatch config show\n"
    "  streamwatch config schema > streamwatch.schema.json\n\n"
    f"\b\nEnvironment variables that go over the file:\n{_VARIABLES}\n"
    "  STREAMWATCH_DATABASE_FILE (a file that holds the address)"
)
def command() -> None:
    """Check, show or describe the configuration."""


@command.command(
    epilog="\b\nExamples:\n"
    "  streamwatch config check\n"
    "  streamwatch config check staging.yaml --json"
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@json_option
def check(file: Path | None, as_json: bool) -> int:
    """Check FILE (default: streamwatch.yaml), the environment and the tap folder.

    Names every mistake with file, line and column; the exit code is 2 if there is one.
    """
    try:
        settings = load_settings(file, os.environ)
        taps = load_taps(Path(settings.taps), settings)
    except FileError as error:
        if as_json:
            print_json({"ok": False, "problems": as_rows(error.problems)})
            return USAGE
        raise
    if as_json:
        print_json(
            {
                "ok": True,
                "problems": [],
                "warnings": unknown_variables(os.environ),
                "sources": len(settings.sources),
                "rules": len(settings.rules),
                "taps": len(taps),
                "expected_false_pages_per_week": {
                    str(kpis): round(false_pages(settings, kpis), 3) for kpis in FLEETS
                },
            }
        )
        return OK
    named = file or DEFAULT_FILE
    what = str(named) if named.exists() else "the built-in defaults"
    click.echo(
        f"{what}: right. Sources: {len(settings.sources)}, rules: {len(settings.rules)}, "
        f"taps: {len(taps)}. See what holds with: streamwatch config show"
    )
    told = ", ".join(f"{false_pages(settings, kpis):.2g} of {kpis:,} KPIs" for kpis in FLEETS)
    click.echo(
        f"False incidents a week to be expected: {told}; "
        f"never more than judging.pages_per_week ({settings.judging.pages_per_week:g})."
    )
    return OK


def false_pages(settings: Settings, kpis: int) -> float:
    """False incidents a week to be expected of so many KPIs judged daily."""
    judging = settings.judging
    return expected_false_pages(kpis, judging.threshold, judging.pages_per_week)


@command.command(
    epilog="\b\nExamples:\n"
    "  streamwatch config show\n"
    "  streamwatch config show --settings staging.yaml --json"
)
@settings_option
@json_option
def show(settings_file: str | None, as_json: bool) -> int:
    """Show the settings that hold, environment included; passwords are hidden."""
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    if as_json:
        taps = load_taps(Path(settings.taps), settings)
        shown = {tap.name: plain_tap(tap) for tap in taps}
        print_json({"settings": plain_settings(settings), "taps": shown})
    else:
        click.echo(settings_yaml(settings), nl=False)
    return OK


@command.command(
    epilog="\b\nExamples:\n"
    "  streamwatch config schema > streamwatch.schema.json\n"
    "  streamwatch config schema --taps > tap.schema.json"
)
@click.option("--taps", is_flag=True, help="The schema of a tap file instead.")
@json_option
def schema(taps: bool, as_json: bool) -> int:
    """Print the JSON Schema of streamwatch.yaml, for editors that complete and check."""
    found = tap_schema() if taps else settings_schema()
    if as_json:
        print_json({"schema": found})
    else:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    return OK
