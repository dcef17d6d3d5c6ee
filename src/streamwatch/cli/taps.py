"""``streamwatch taps``: the tap configuration, and what running workers make of it."""

import os
from pathlib import Path

import click
from rich.table import Table

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.settings.tap_files import LoadedTap, load_tap_files
from streamwatch.adapters.settings.text import plain_tap
from streamwatch.adapters.yaml.located import FileError
from streamwatch.adapters.yaml.scalars import written_duration
from streamwatch.cli.export import export
from streamwatch.cli.output import (
    FINDINGS,
    OK,
    USAGE,
    console,
    json_option,
    print_json,
    settings_option,
)
from streamwatch.cli.problems import as_rows
from streamwatch.cli.taps_workers import freeze, reload
from streamwatch.taps.inline_tests import unmet

_folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder of the tap files (default: `taps` of the settings, tap_config).",
)


@click.group(
    epilog="\b\nExamples:\n"
    "  streamwatch taps list\n"
    "  streamwatch taps lint --folder staging_taps\n"
    "  streamwatch taps test --json\n"
    "  streamwatch taps reload\n"
    "  streamwatch taps freeze --shop shop-017\n"
    "  streamwatch taps export widget-event --to taps.parquet"
)
def command() -> None:
    """List, check, test and reload the tap configuration; export what the taps took."""


command.add_command(reload)
command.add_command(freeze)
command.add_command(export)


@command.command(
    "list", epilog="\b\nExamples:\n  streamwatch taps list\n  streamwatch taps list --json"
)
@_folder_option
@settings_option
@json_option
def list_(folder: Path | None, settings_file: str | None, as_json: bool) -> int:
    """List the taps: after which stages, which records, how long."""
    loaded = _load(folder, settings_file)
    if as_json:
        print_json({"taps": {one.tap.name: plain_tap(one.tap) for one in loaded}})
        return OK
    if not loaded:
        click.echo("There are no taps. Begin with a file in tap_config; see docs/configuration.md.")
        return OK
    table = Table(box=None)
    for heading in ("tap", "event", "after", "columns", "sample", "kept", "tests"):
        table.add_column(heading, no_wrap=heading != "after", overflow="fold")
    for one in loaded:
        tap = one.tap
        table.add_row(
            tap.name,
            tap.event,
            ", ".join(tap.stages),
            str(len(tap.columns) or "all"),
            f"{100 * tap.sample:g}%",
            written_duration(tap.retention),
            str(len(one.tests)),
        )
    console().print(table)
    return OK


@command.command(
    epilog="\b\nExamples:\n  streamwatch taps lint\n  streamwatch taps lint --folder staging_taps"
)
@_folder_option
@settings_option
@json_option
def lint(folder: Path | None, settings_file: str | None, as_json: bool) -> int:
    """Check the tap files: mistakes (exit code 2) and what could be better (exit code 1)."""
    try:
        loaded = _load(folder, settings_file)
    except FileError as error:
        if as_json:
            print_json({"ok": False, "problems": as_rows(error.problems), "findings": []})
            return USAGE
        raise
    findings = [finding for one in loaded for finding in one.advice]
    if as_json:
        print_json({"ok": not findings, "problems": [], "findings": as_rows(findings)})
    else:
        for finding in findings:
            click.echo(str(finding))
        if not findings:
            click.echo(f"{_counted(len(loaded), 'tap')}, nothing to put right.")
    return FINDINGS if findings else OK


@command.command(
    "test", epilog="\b\nExamples:\n  streamwatch taps test\n  streamwatch taps test --json"
)
@_folder_option
@settings_option
@json_option
def run_tests(folder: Path | None, settings_file: str | None, as_json: bool) -> int:
    """Run the tests inside the tap files; the exit code is 1 if one differs."""
    results = [
        {"tap": one.tap.name, "file": one.file, "test": test.name, "differs": unmet(one.tap, test)}
        for one in _load(folder, settings_file)
        for test in one.tests
    ]
    differing = [result for result in results if result["differs"]]
    if as_json:
        print_json({"ok": not differing, "tests": results})
    else:
        for result in differing:
            for text in result["differs"]:
                click.echo(f"{result['file']}: {result['test']}: {text}")
        verb = "differs" if len(differing) == 1 else "differ"
        click.echo(f"{_counted(len(results), 'test')}, {len(differing)} {verb}.")
    return FINDINGS if differing else OK


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _load(folder: Path | None, settings_file: str | None) -> tuple[LoadedTap, ...]:
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    return load_tap_files(folder or Path(settings.taps), settings)
