"""``streamwatch simulate``: events of simulated shops, and the truth about their faults."""

import datetime as dt
import gzip
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import click

from streamwatch.cli.output import json_option, print_json, progress
from streamwatch.errors import StreamwatchError
from streamwatch.simulation.faults import FAULT_KINDS, Fault, parse_fault
from streamwatch.simulation.fleet import RHYTHMS, Fleet, FleetSettings, build_fleet
from streamwatch.simulation.labels import labels, write_labels
from streamwatch.simulation.simulate import SimulatedEvent, simulate_days


def _fault_help() -> str:
    lines = []
    for name, kind in FAULT_KINDS.items():
        length = f"{kind.length:g} day" if kind.length else "to the end"
        lines.append(f"  {name:<15} {kind.does} ({length})")
        lines += [f"  {'':<15} ARGUMENT {kind.argument}"] if kind.argument else []
        lines.append(f"  {'':<15} {kind.example}")
    return "\n".join(lines)


_EPILOG = f"""\b
Faults are written KIND@SHOP:DAY[+LENGTH][:ARGUMENT]; SHOP * is all shops, DAY 0 the first
day, LENGTH in days (both may have fractions). Kinds, with how long they last unless told:
{_fault_help()}

\b
Examples:
  streamwatch simulate --shops 10 --days 56 --largest 2000 --out events.jsonl
  streamwatch simulate --shops 5 --days 60 --scale 0.01 --out events.jsonl.gz \\
      --labels truth.csv --fault inches@shop-003:57:0.3 --fault silence@shop-001:58
  streamwatch simulate --shops 3 --days 2 --largest 100 --out - | streamwatch watch -
"""


@click.command(epilog=_EPILOG)
@click.option("--shops", type=click.IntRange(1, 10_000), required=True, help="How many shops.")
@click.option("--days", type=click.IntRange(1, 3_660), required=True, help="How many days.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31),
    default=0,
    help="Same seed, same bytes.",
    show_default=True,
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2026-09-01",
    show_default=True,
    help="First day.",
)
@click.option(
    "--smallest",
    type=float,
    default=3.0,
    show_default=True,
    help="Widget events a day of the smallest shop, if not above --largest.",
)
@click.option(
    "--largest",
    type=float,
    default=100_000.0,
    show_default=True,
    help="Widget events a day of the largest shop.",
)
@click.option("--scale", type=float, default=1.0, show_default=True, help="Factor on all sizes.")
@click.option("--fault", "faults", multiple=True, metavar="FAULT", help="See below; repeatable.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True),
    required=True,
    help="JSON lines by arrival; - for standard output; .gz compresses.",
)
@click.option(
    "--labels",
    "labels_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="The truth about the faults, as CSV; needed when there are faults.",
)
@json_option
def command(
    shops: int,
    days: int,
    seed: int,
    start: dt.datetime,
    smallest: float,
    largest: float,
    scale: float,
    faults: tuple[str, ...],
    out: str,
    labels_file: Path | None,
    as_json: bool,
) -> None:
    """Write the events of simulated shops, and the truth about the faults put into them."""
    settings = FleetSettings(
        shops=shops,
        days=days,
        seed=seed,
        start=start.date(),
        smallest=min(smallest, largest),
        largest=largest,
        scale=scale,
    )
    _check_files(out, labels_file, has_faults=bool(faults), as_json=as_json)
    parsed = tuple(parse_fault(text) for text in faults)
    fleet = build_fleet(settings)
    truth = labels(settings, parsed)
    begun = time.perf_counter()
    try:
        counts = _write_events(settings, parsed, out)
        if labels_file is not None:
            write_labels(labels_file, truth)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StreamwatchError(
            f"{error.filename or out}: cannot be written: {error.strerror}"
        ) from error
    seconds = time.perf_counter() - begun
    if as_json:
        print_json(_answer(fleet, counts, faults, out, labels_file))
    _summary(settings, counts, parsed, out, labels_file, seconds)


def _check_files(out: str, labels_file: Path | None, *, has_faults: bool, as_json: bool) -> None:
    if has_faults and labels_file is None:
        raise click.UsageError("--fault without --labels FILE: nobody would know the truth.")
    if out == "-" and as_json:
        raise click.UsageError("--json needs --out FILE: the events take standard output.")
    if out.endswith(".parquet"):
        raise click.UsageError("JSON lines only: name the file .jsonl or .jsonl.gz.")
    for file in (out, labels_file):
        if file is not None and str(file) != "-" and not Path(file).parent.is_dir():
            raise click.UsageError(f"{file}: no folder {Path(file).parent}; create it first.")
    if labels_file is not None and Path(out).resolve() == labels_file.resolve():
        raise click.UsageError("--out and --labels name the same file.")


def _write_events(settings: FleetSettings, faults: tuple[Fault, ...], out: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    with _opened(out) as file, progress() as bar:
        task = bar.add_task("days simulated", total=settings.days)
        for day, batch in simulate_days(settings, faults):
            file.write(b"".join(map(_envelope, batch)))
            counts.update(event.topic for event in batch)
            bar.update(task, completed=day)
    return counts


def _envelope(event: SimulatedEvent) -> bytes:
    return b'{"topic":"%b","arrived":%d,"value":%b}\n' % (
        event.topic.encode(),
        event.arrived_ms,
        event.value_bytes,
    )


@contextmanager
def _opened(out: str) -> Iterator[BinaryIO]:
    """The file to write to; a regular file gets its name only when it is complete."""
    if out == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(out)
    regular = not path.exists() or path.is_file()
    part = path.with_name(f"{path.name}.part") if regular else path
    try:
        with part.open("wb") as file:
            if out.endswith(".gz"):
                with gzip.GzipFile("", "wb", 1, file, mtime=0) as packed:
                    yield cast("BinaryIO", packed)
            else:
                yield file
        if regular:
            part.replace(path)
    finally:
        if regular:
            part.unlink(missing_ok=True)


def _answer(
    fleet: Fleet,
    counts: Counter[str],
    faults: tuple[str, ...],
    out: str,
    labels_file: Path | None,
) -> dict[str, object]:
    rhythms = [RHYTHMS[number] for number in fleet.rhythm.tolist()]
    sizes = fleet.size.round(1).tolist()
    return {
        "out": out,
        "labels": str(labels_file) if labels_file else None,
        "events": counts.total(),
        "topics": dict(sorted(counts.items())),
        "faults": list(faults),
        "shops": [
            {"shop": shop, "widget_events_per_day": size, "rhythm": rhythm}
            for shop, size, rhythm in zip(fleet.names, sizes, rhythms, strict=True)
        ],
    }


def _summary(
    settings: FleetSettings,
    counts: Counter[str],
    faults: tuple[Fault, ...],
    out: str,
    labels_file: Path | None,
    seconds: float,
) -> None:
    topics = ", ".join(f"{count:,} {topic}" for topic, count in sorted(counts.items()))
    place = "standard output" if out == "-" else out
    click.echo(
        f"{counts.total():,} events ({topics}) of {settings.shops} shops over {settings.days} "
        f"days in {seconds:.1f} s: {place}",
        err=True,
    )
    if labels_file is not None:
        click.echo(f"the truth about {len(faults)} fault(s): {labels_file}", err=True)
    if out != "-":
        click.echo(f"next: streamwatch watch {out}", err=True)
