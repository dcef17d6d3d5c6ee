"""``streamwatch detect``: any series of numbers over time, judged row by row."""

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from streamwatch.adapters.files.series_rows import SeriesRow, open_series
from streamwatch.cli.output import FINDINGS, OK, json_option, print_json, progress
from streamwatch.errors import ConfigurationError
from streamwatch.series.detector import Detector
from streamwatch.series.points import Judged, Kind, sensitivity

COLUMNS = ("timestamp", "value", "expected", "lower", "upper", "score", "verdict", "reason")
MOST_TOLD = 1_000
"""Unusual rows that the JSON answer holds; all are in the CSV."""

_EPILOG = """\b
SERIES.csv has the columns timestamp and value, and shop if it holds several series; other
columns are left alone. Steps may be minutes, hours or days, even or uneven. Timestamps are
ISO 8601 (UTC unless they say otherwise) or seconds or milliseconds since 1970.

\b
The answer is CSV: timestamp,value,expected,lower,upper,score,verdict,reason (and shop).
The score is 0 to 1; from 0.5 on a row is unusual. A row is judged by the rows before it only.

\b
Examples:
  streamwatch detect tweets.csv -o judged.csv
  streamwatch detect orders_per_day.csv --kind count --sensitivity 1.5
  zcat series.csv.gz | streamwatch detect - | grep unusual

The exit code is 1 if a row is unusual."""


@click.command(epilog=_EPILOG)
@click.argument("series", metavar="SERIES.csv|-")
@click.option(
    "--kind", type=click.Choice(["count", "value"]), default=None,
    help="What the numbers are (default: told by each series' first rows).",
)  # fmt: skip
@click.option(
    "--sensitivity", "factor", type=click.FloatRange(0.1, 10), default=1.0, show_default=True,
    help="2 alarms at half as far a departure, 0.5 at twice as far.",
)  # fmt: skip
@click.option("-o", "--out", type=click.Path(dir_okay=False), default=None, help="CSV file.")
@json_option
def command(series: str, kind: Kind | None, factor: float, out: str | None, as_json: bool) -> int:
    """Judge the rows of SERIES.csv: expected value, band, score and verdict for each."""
    told: list[dict[str, object]] = []
    states: Counter[str] = Counter()
    detectors: dict[str, Detector] = {}
    limits = sensitivity(factor)
    with open_series(series) as (has_shops, rows), _writer(out, as_json=as_json) as stream:
        columns = (*COLUMNS, "shop") if has_shops else COLUMNS
        writer = csv.writer(stream, lineterminator="\n") if stream else None
        if writer:
            writer.writerow(columns)
        for row in _counted(rows):
            detector = detectors.get(row.shop)
            if detector is None:
                detector = detectors[row.shop] = Detector(limits, kind, row.shop or "series")
            judged = detector.judge(row.time, row.number)
            states[judged.state] += 1
            line = _line(row, judged)
            if writer:
                writer.writerow(line[: len(columns)])
            if judged.state == "unusual" and len(told) < MOST_TOLD:
                told.append(dict(zip(columns, line, strict=False)))
    if as_json:
        print_json(_answer(states, detectors, told))
    else:
        _say(states, len(detectors))
    return FINDINGS if states["unusual"] else OK


def _line(row: SeriesRow, judged: Judged) -> tuple[str, ...]:
    numbers = (judged.expected, judged.lower, judged.upper)
    shown = ("" if number is None else f"{number:.8g}" for number in numbers)
    score = "" if judged.score is None else f"{judged.score:.9f}"
    return (row.timestamp, row.value, *shown, score, judged.state, judged.reason, row.shop)


@contextmanager
def _writer(out: str | None, *, as_json: bool) -> Iterator[IO[str] | None]:
    """Where the CSV goes: the file, else standard output unless JSON goes there."""
    if out is None:
        yield None if as_json else sys.stdout
        return
    try:
        with Path(out).open("w", newline="", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise ConfigurationError(f"{out}: cannot be written: {error.strerror}") from error


def _counted(rows: Iterator[SeriesRow]) -> Iterator[SeriesRow]:
    with progress() as bar:
        task = bar.add_task("rows", total=None)
        for number, row in enumerate(rows, start=1):
            yield row
            if number % 5_000 == 0:
                bar.update(task, completed=number)


def _answer(
    states: Counter[str], detectors: dict[str, Detector], told: list[dict[str, object]]
) -> dict[str, object]:
    series = []
    for name, detector in detectors.items():
        cadence = detector.cadence
        kind, step = (cadence.kind, cadence.step / 1000) if cadence else (None, None)
        series.append({"shop": name, "kind": kind, "step_seconds": step})
    counts = {state: states[state] for state in ("usual", "unusual", "warming", "skipped")}
    return {"rows": sum(states.values()), **counts, "series": series, "unusual_rows": told}


def _say(states: Counter[str], series: int) -> None:
    total = sum(states.values())
    if not total:
        click.echo("there was no row to read", err=True)
        return
    click.echo(
        f"{total:,} rows in {series} series: {states['unusual']:,} unusual, "
        f"{states['usual']:,} usual, {states['warming']:,} while warming, "
        f"{states['skipped']:,} not judged (see the column reason)",
        err=True,
    )
