"""How long a worker needs for the state of partitions that it is assigned.

``python benchmarks/recovery.py [--shops 5000] [--hours 1 24] [--out FOLDER]``: JUDGE's state of
many shops with 30 KPIs each, five weeks old, spread over eight partitions, in PostgreSQL (started
here) and SQLite; once for shops that send in one hour of a day, once for those that send in every
hour, whose sums of the last eight days are most of the state.
Measured is what an assignment does: the query, the decoding, the gauges of what is unusual, and
the messages that may have to be published again.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from datetime import UTC
from pathlib import Path

import msgspec

from streamwatch.adapters.kafka.collecting import uncollected
from streamwatch.adapters.kafka.exported import exported
from streamwatch.adapters.local.postgres import start_postgres
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments, Segment
from streamwatch.domain.messages import Heartbeat, Partial
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.statevalue import pack, unpack
from streamwatch.runner.partition import Partition
from streamwatch.runner.ports import Flush
from streamwatch.steps.judge import JudgeStep
from streamwatch.steps.judgestate import StoredHour

PARTITIONS = 8
START = 1_788_220_800_000
DAYS = 35
SEGMENTS = (ALL, *(f"category={number}" for number in range(9)))
TOPIC = "streamwatch.readings"


def one_shop(step: JudgeStep, hours: int) -> dict[str, bytes]:
    """The stored values of a shop with ten segments, each with a volume and two means."""
    state = step.restore({})
    offset = 0

    def tell(value: object) -> None:
        nonlocal offset
        offset += 1
        record = FileRecord(offset, msgspec.msgpack.encode(value))
        step.process(state, Slice(TOPIC, 0, (record,)), 0)

    for day in range(DAYS):
        for hour in range(hours):
            at = START + day * DAY_MS + hour * HOUR_MS
            count = 960 // hours + (day * 7 + hour * 3) % 11
            numbers = {
                "height": Moments(count, 170.0 + day % 3, 100.0 * count),
                "weight": Moments(count, 70.0 + day % 5, 100.0 * count),
            }
            cells = dict.fromkeys(SEGMENTS, Segment(count=count, numbers=numbers))
            cells[ALL] = Cell(count=count, numbers=numbers, first_arrival=at, last_arrival=at)
            tell(Partial("widget-event", "widget-event", 0, "shop", at, offset, at, cells))
        end = START + (day + 1) * DAY_MS + 2 * HOUR_MS
        tell(Heartbeat("widget-event", "widget-event", 0, offset, 0, end, end))
    changes = step.settle(state, offset, 0, 0).changes
    return {key: value for key, value in changes.items() if value is not None}


def copied(stored: dict[str, bytes], shop: str) -> dict[str, bytes]:
    """The same values for another shop."""
    copy = {}
    for key, value in stored.items():
        if key.startswith("hour/"):
            hour = unpack(value, StoredHour, value[0], key)
            copy[key.removesuffix("shop") + shop] = pack(
                value[0], msgspec.structs.replace(hour, shop=shop)
            )
        elif key.endswith("/shop"):
            copy[key.removesuffix("shop") + shop] = value
    return copy


def measure(url: str, stored: dict[str, bytes], shops: int, step: JudgeStep) -> dict[str, object]:
    """Store the state of so many shops, then load it."""
    upgrade(url)
    engine = create_engine_for(url)
    store = SqlStore(engine)
    places = [PartitionId(step.name, TOPIC, number) for number in range(PARTITIONS)]
    size = 0
    for number, place in enumerate(places):
        changes: dict[str, bytes | None] = {"clocks": stored["clocks"]}
        for shop in range(number, shops, PARTITIONS):
            changes |= copied(stored, f"shop-{shop:05d}")
        size += sum(len(value or b"") for value in changes.values())
        store.commit(Flush(place, None, 1, 0, "id", changes, [], None))
    begun, spent = time.perf_counter(), time.process_time()
    query = 0.0
    loaded = 0
    owned = []
    with uncollected():
        for place in places:
            asked = time.perf_counter()
            found = store.load(place)
            query += time.perf_counter() - asked
            owned.append(runner := Partition(step, place, found))
            exported(runner)
            list(runner.announce())
            loaded += len(runner.state.shops)
    seconds = time.perf_counter() - begun
    cpu = time.process_time() - spent
    engine.dispose()
    assert loaded == shops
    return {
        "database": url.partition(":")[0],
        "shops": shops,
        "megabytes": round(size / 1e6, 1),
        "seconds": round(seconds, 2),
        "of which the query": round(query, 2),
        "cpu seconds": round(cpu, 2),
    }


def main() -> None:
    """Measure on both databases and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=5_000)
    parser.add_argument("--hours", type=int, nargs="+", default=[1, 24])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    step = JudgeStep(JudgingSettings(), lambda _: UTC)
    results = []
    for hours in arguments.hours:
        stored = one_shop(step, hours)
        with tempfile.TemporaryDirectory() as folder:
            server = start_postgres(Path(folder))
            try:
                for url in (server.url, f"sqlite:///{folder}/recovery.db"):
                    found = measure(url, stored, arguments.shops, step)
                    results.append({"hours of a day": hours, **found})
                    print(results[-1], flush=True)
            finally:
                server.remove()
    report = {
        "command": f"python benchmarks/recovery.py --shops {arguments.shops}",
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "kpis of a shop": 3 * len(SEGMENTS),
        "partitions": PARTITIONS,
        "results": results,
    }
    if arguments.out:
        (arguments.out / "recovery.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
