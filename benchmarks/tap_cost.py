"""What taps cost: COUNT with taps of several kinds against COUNT without, and writing tap rows.

    PYTHONPATH=src python benchmarks/tap_cost.py [--records 20000] [--rounds 9] [--out FOLDER]

COUNT is run alone, on records in memory, in slices of 2,000, a settling every 20,000; with taps,
the rows are made into tuples as for the database. Each round runs all kinds one after the other.
Told is the best round of each, in seconds of the processor, since others may use the machine too.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from machine import described, in_words

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.rows import rows_by_table
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.rows import TapRow
from streamwatch.domain.settings import Settings
from streamwatch.domain.tap_settings import Filter, TapSettings
from streamwatch.runner.ports import Flush
from streamwatch.steps.count import CountStep
from streamwatch.steps.sources import compile_sources
from streamwatch.taps.recorder import Recorder

SLICE, SETTLE = 2_000, 20_000
NOW = 1_788_256_800_000
EXPRESSION = "height < 100 and category in ('shoes', 'shirts') and app_version == '5.0.0'"


def taps(**more: object) -> tuple[TapSettings, ...]:
    """One tap after every stage."""
    return (TapSettings("t", "widget-event", STAGES, **more),)  # type: ignore[arg-type]


KINDS: dict[str, tuple[tuple[TapSettings, ...], bool]] = {
    "no taps": ((), False),
    "no taps, flight recorder": ((), True),
    "1% at every stage": (taps(sample=0.01), False),
    "1% at every stage, recorder": (taps(sample=0.01), True),
    "1%, filter in words": (taps(sample=0.01, filter=Filter(expression=EXPRESSION)), False),
    "1%, rate and budget": (taps(sample=0.01, rate=1000, budget=10**9), False),
    "10% at every stage": (taps(sample=0.1), False),
    "100% at every stage": (taps(), False),
}


def iso(milliseconds: int) -> str:
    """A time as most clients write it."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds")


def records(count: int) -> list[FileRecord]:
    """Widget events of 50 shops over ten hours."""
    made = []
    for number in range(count):
        event = {
            "event_id": f"event-{number:08d}", "shop": f"shop-{number % 50:03d}",
            "time": iso(NOW + number), "shopper": f"u-{number % 9973}@shop.example",
            "product": f"dress-{number % 90}", "category": ("dresses", "shoes")[number % 2],
            "gender": "female", "height": 150.0 + number % 40, "height_unit": "cm",
            "weight": 50.0 + number % 30, "weight_unit": "kg", "age": 20.0 + number % 50,
            "recommended_size": "M", "fit_preference": "loose", "app_version": "5.0.0",
        }  # fmt: skip
        made.append(FileRecord(number, json.dumps(event).encode(), NOW + number, b"k"))
    return made


def count_all(given: list[FileRecord], kind: tuple[tuple[TapSettings, ...], bool]) -> float:
    """Seconds to take all records through COUNT."""
    recorder = Recorder(600_000, 32_000_000) if kind[1] else None
    sources = compile_sources(Settings(), kind[0], lambda _: UTC, b"k" * 32, recorder=recorder)
    step = CountStep(sources["widget-event"], 0)
    state = step.restore({})
    rows: list[TapRow] = []
    begun = time.process_time()
    for begin in range(0, len(given), SLICE):
        taken = given[begin : begin + SLICE]
        outcome = step.process(state, Slice("widget-event", 0, taken), NOW)
        rows += outcome.rows  # type: ignore[arg-type]
        if (begin + SLICE) % SETTLE == 0:
            step.settle(state, begin + SLICE, 0, NOW)
            rows_by_table(rows)
            rows.clear()
    return time.process_time() - begun


def write_rows(url: str, count: int) -> float:
    """Rows a second that the store writes, in flushes of 20,000."""
    upgrade(url)
    engine = create_engine_for(url)
    store = SqlStore(engine, now_ms=lambda: NOW)
    columns = {"height": 170.5, "weight": 61.0, "gender": "female", "category": "shoes",
               "app_version": "5.0.0", "product": "dress-7"}  # fmt: skip
    place = PartitionId("count", "widget-event", 0)
    begun = time.process_time()
    for begin in range(0, count, SETTLE):
        rows = [
            TapRow("widget-event", "decode", "widget-event", 0, offset, f"event-{offset:08d}",
                   "shop-001", NOW + offset, NOW + offset, columns, "t")
            for offset in range(begin, begin + SETTLE)
        ]  # fmt: skip
        store.commit(Flush(place, begin or None, begin + SETTLE, 0, "", {}, rows, None))
    seconds = time.process_time() - begun
    engine.dispose()
    return count / seconds


def best(rounds: int, call: Callable[[], float]) -> float:
    """The smallest of several."""
    return min(call() for _ in range(rounds))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--postgres", default=None, help="address of an empty database")
    asked = parser.parse_args()
    given = records(asked.records)
    seconds: dict[str, list[float]] = {name: [] for name in KINDS}
    for _ in range(asked.rounds):
        for name, kind in KINDS.items():
            seconds[name].append(count_all(given, kind))
    base = min(seconds["no taps"])
    lines = ["| taps | µs an event | against none |", "|---|---:|---:|"]
    for name, found in seconds.items():
        each = min(found) / asked.records * 1e6
        lines.append(f"| {name} | {each:.2f} | {100 * (min(found) / base - 1):+.0f} % |")
    print("\n".join(lines))
    if asked.out is not None:
        machine = described()
        head = f"`{machine['command']}`\n\n{in_words(machine)}\n\n"
        (asked.out / "tap_cost.md").write_text(head + "\n".join(lines) + "\n")
        answer = {"machine": machine, "records": asked.records, "seconds": seconds}
        (asked.out / "tap_cost.json").write_text(json.dumps(answer, indent=2) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        rate = write_rows(f"sqlite:///{Path(folder)}/taps.db", 200_000)
        print(f"{'rows into SQLite':<30} {rate:>10,.0f} rows/s")
    if asked.postgres:
        rate = write_rows(asked.postgres, 200_000)
        print(f"{'rows into PostgreSQL':<30} {rate:>10,.0f} rows/s")


if __name__ == "__main__":
    main()
