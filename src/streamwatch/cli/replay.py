"""``streamwatch replay``: send files into Kafka, optionally in accelerated time."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import click
from rich.table import Table

from streamwatch.adapters.files.opening import check_readable, name_of
from streamwatch.adapters.files.reader import FORMATS, Format, read_file
from streamwatch.adapters.files.routes import load_routes
from streamwatch.adapters.kafka.outgoing import Outgoing, compile_dating, merge
from streamwatch.adapters.kafka.replay import replay
from streamwatch.adapters.kafka.replayed import Replayed, deleted_soon
from streamwatch.adapters.kafka.topics import topic_facts
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.cli.output import (
    FINDINGS,
    OK,
    console,
    json_option,
    print_json,
    progress,
    settings_option,
)

INTERRUPTED = 130
_REFUSALS_SHOWN = 5
_DAY_MS = 86_400_000

_EPILOG = """\b
Examples:
  streamwatch simulate --shops 10 --days 56 --largest 2000 --out events.jsonl
  streamwatch replay events.jsonl
  streamwatch replay events.jsonl --speed 86400        a day in a second
  streamwatch replay online_retail.csv.gz --routes routes.yaml --settings retail.yaml
  zcat purchases.jsonl.gz | streamwatch replay - --topic purchase

\b
A routes file says which topic a line of a foreign file belongs to:
  routes:
    - {topic: return, field: InvoiceNo, pattern: "C.*"}
    - {topic: purchase}
  line_id: event_id       adds event_id = FILE:LINE to lines that have none
"""


class _Speed(click.ParamType):
    """A factor above 0, or ``max``."""

    name = "factor"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        """``None`` stands for ``max``."""
        if value is None or value == "max":
            return None
        try:
            factor = float(value)
        except ValueError:
            factor = 0.0
        if not 0 < factor < float("inf"):
            self.fail(f"{value!r} is neither a factor above 0 nor max", param, ctx)
        return factor


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--topic", default=None, help="The topic of every line.")
@click.option(
    "--routes", "routes_file", default=None, metavar="FILE", help="Topics by content; see below."
)
@click.option(
    "--speed",
    type=_Speed(),
    default="max",
    show_default=True,
    help="How much faster than the records' own time; 86400 is a day in a second.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="auto",
    show_default=True,
    help="Told by the file's name or its first bytes.",
)
@settings_option
@json_option
def command(
    files: tuple[str, ...],
    topic: str | None,
    routes_file: str | None,
    speed: float | None,
    form: str,
    settings_file: str | None,
    as_json: bool,
) -> int:
    """Send FILEs (JSON lines, CSV or Parquet; - for standard input) into Kafka.

    Each record carries the time when it arrived, if the file says it, else the time of the
    event: that is the clock by which it is judged. Several files are merged by it. Records
    that Kafka would refuse are named and left out; the exit code is then 1.
    """
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    routes = load_routes(routes_file) if routes_file else None
    check_readable(files)
    now_ms = time.time_ns() // 1_000_000
    dating = compile_dating(settings, now_ms)
    records = merge(
        [
            dating(
                read_file(file, form=cast("Format", form), topic=topic, routes=routes),
                name_of(file),
            )
            for file in files
        ]
    )
    bootstrap = settings.kafka.bootstrap
    with _stoppable() as should_stop, _shown() as told:
        done = replay(
            records,
            settings.kafka,
            now_ms=now_ms,
            speed=speed,
            should_stop=should_stop,
            told=told,
            refused=_Refusals(),
        )
    short = deleted_soon(topic_facts(settings.kafka, done.sent), done, now_ms)
    if as_json:
        print_json(_answer(done, bootstrap, short))
    else:
        _print(done, bootstrap)
    _warn(done, short)
    if done.stopped:
        return INTERRUPTED
    return FINDINGS if done.oversized or done.future else OK


class _Refusals:
    """Names the first records that are left out, on standard error."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, record: Outgoing, why: str) -> None:
        self._count += 1
        if self._count <= _REFUSALS_SHOWN:
            click.echo(f"{record.file}:{record.line}: left out: {why}", err=True)
        elif self._count == _REFUSALS_SHOWN + 1:
            click.echo("… more are left out; they are counted", err=True)


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C asks the replay to stop, the second one ends the program."""
    asked = threading.Event()

    def ask(_signal: int, _frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _shown() -> Iterator[Callable[[Replayed], None]]:
    begun = time.monotonic()
    with progress() as bar:
        task = bar.add_task("records", total=None)

        def told(done: Replayed) -> None:
            count = done.sent.total()
            rate = count / max(time.monotonic() - begun, 0.001)
            until = "" if done.last_ms is None else f", up to {_time(done.last_ms)}"
            bar.update(task, completed=count, description=f"{rate:,.0f} records/s{until}")

        yield told


def _answer(done: Replayed, bootstrap: str, short: dict[str, int]) -> dict[str, object]:
    return {
        "bootstrap": bootstrap,
        "taken": done.taken,
        "sent": dict(sorted(done.sent.items())),
        "oversized": dict(sorted(done.oversized.items())),
        "future": dict(sorted(done.future.items())),
        "first": None if done.first_ms is None else _time(done.first_ms),
        "last": None if done.last_ms is None else _time(done.last_ms),
        "stopped": done.stopped,
        "seconds": round(done.seconds, 3),
        "deleted_soon": sorted(short),
    }


def _print(done: Replayed, bootstrap: str) -> None:
    table = Table("topic")
    for column in ("sent", "too large", "in the future"):
        table.add_column(column, justify="right")
    for topic in sorted({*done.sent, *done.oversized, *done.future}):
        counts = (done.sent[topic], done.oversized[topic], done.future[topic])
        table.add_row(topic, *(f"{count:,}" for count in counts))
    console().print(table)
    rate = done.sent.total() / max(done.seconds, 0.001)
    span = ""
    if done.first_ms is not None and done.last_ms is not None:
        span = f", from {_time(done.first_ms)} to {_time(done.last_ms)}"
    click.echo(
        f"{done.sent.total():,} records to {bootstrap} in {done.seconds:.1f} s "
        f"({rate:,.0f}/s){span}"
    )


def _warn(done: Replayed, short: dict[str, int]) -> None:
    for topic, kept_ms in sorted(short.items()):
        click.echo(
            f"warning: {topic} keeps records for {kept_ms / _DAY_MS:g} days by their own time; "
            "Kafka deletes the older ones of these within minutes: set its retention.ms to -1 "
            "before the replay",
            err=True,
        )
    if done.stopped:
        until = "" if done.last_ms is None else f", up to {_time(done.last_ms)}"
        click.echo(
            f"stopped after {done.taken:,} records{until}; all of them are in Kafka", err=True
        )
    elif done.sent:
        click.echo("next: streamwatch worker", err=True)


def _time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
