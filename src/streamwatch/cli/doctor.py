"""``streamwatch doctor``: what is wrong with what streamwatch stands on, and what to do."""

import os
import time
from collections import Counter
from pathlib import Path

import click

from streamwatch.adapters.doctor.check import Result
from streamwatch.adapters.doctor.visit import AREAS, visit
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.cli.output import FAILURE, FINDINGS, OK, json_option, print_json, settings_option

_EPILOG = """\b
Examples:
  streamwatch doctor
  streamwatch doctor --only database --only configuration
  streamwatch doctor --json

Nothing is changed. The exit code is 0 when all is well, 1 when something is to be put right, and 3
when Kafka or the database does not answer, so that not everything could be looked at."""


@click.command(epilog=_EPILOG)
@click.option("--only", multiple=True, type=click.Choice(AREAS), help="These areas; else all.")
@click.option("--all", "show_all", is_flag=True, help="Tell what is fine as well.")
@settings_option
@json_option
def command(only: tuple[str, ...], show_all: bool, settings_file: str | None, as_json: bool) -> int:
    """Check Kafka, the database, Prometheus and the configuration for frequent mistakes.

    Each finding says what is wrong, why it matters and what to do.
    """
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    now_ms = time.time_ns() // 1_000_000
    results = visit(settings, os.environ, Path(), now_ms, only or AREAS)
    counts = Counter[str](result.state for result in results)
    if as_json:
        print_json({"ok": set(counts) <= {"fine"}, "counts": dict(counts), "results": results})
    else:
        _print(results, counts, show_all=show_all)
    if counts["unknown"]:
        return FAILURE
    return FINDINGS if counts["error"] or counts["warning"] else OK


def _print(results: list[Result], counts: Counter[str], *, show_all: bool) -> None:
    for result in results:
        for advice in result.advice:
            click.echo(f"{advice.level}: {advice.what}  [{result.area}/{result.check}]")
            click.echo(f"  why: {advice.why}")
            click.echo(f"  do:  {advice.remedy}")
        if show_all and not result.advice:
            click.echo(f"{result.state}: {result.title}  [{result.area}/{result.check}]")
    told = ", ".join(
        f"{counts[state]} {state}" for state in ("fine", "warning", "error", "unknown")
    )
    click.echo(f"{len(results)} checks: {told}", err=True)
