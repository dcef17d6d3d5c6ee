"""The points of the curves that need no broker: the steps on the runner in one process.

See `inprocess`. Told are processor seconds, bytes and values of a steady state: what comes before
(shops that are new, cells that are made) is fed first and not counted.
"""

import gc
import re
import resource
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from inprocess import Pipeline

from streamwatch.adapters.kafka.collecting import collect_less_often
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.settings import FlushSettings, Settings
from streamwatch.steps.judgestate import all_streams

sys.path.insert(0, str(Path(__file__).parent / "throughput"))
from workload import START_MS, events

Figures = dict[str, Any]
Given = tuple[int, str, bytes]

OF_TEN = 10
"""Shops and events are those of one of so many partitions of a worker: they share nothing."""

CATEGORY = re.compile(rb'"category":"\w+"')
LEAN = ("event_id", "shop", "time", "height", "weight", "age")


def run(
    shops: int, rate: float, seconds: float, warm: float, *, change: Any = None, **options: Any
) -> Figures:
    """Live events at a rate, for some seconds behind those that warm it up."""
    collect_less_often()
    pipeline = Pipeline(**options)
    count, first = int(rate * (warm + seconds)), int(rate * warm)
    given: Iterator[Given] = events(count, (warm + seconds) / 3600, shops)
    if change is not None:
        given = (
            (at, shop, change(number, value)) for number, (at, shop, value) in enumerate(given)
        )
    pipeline.feed(islice(given, first))
    pipeline.cpu.clear()
    pipeline.size.clear()
    pipeline.feed(given)
    counted = count - first
    total = sum(pipeline.cpu.values())
    size = pipeline.size
    return {
        "shops": shops,
        "events": counted,
        "events a CPU second": round(counted / total),
        "microseconds": {
            name: round(spent / counted * 1e6, 2) for name, spent in sorted(pipeline.cpu.items())
        },
        "bytes an event": round((size["state bytes"] + size["message bytes"]) / counted, 1),
        "values a flush": round(size["state values"] / max(size["flushes"], 1)),
        "bytes a value": round(size["state bytes"] / max(size["state values"], 1)),
        "resident MB": round(resident() / 1e6),
        **size,
    }


def of_shops(shops: int) -> Figures:
    """So many shops at 20,000 events a second: a tenth of both, in one of ten partitions."""
    seconds = {10_000: 120, 100_000: 185}.get(shops, 60)
    warm = {10_000: 60, 100_000: 185}.get(shops, 10)
    mine, rate = max(shops // OF_TEN, 1), 20_000 / OF_TEN
    return run(mine, rate, seconds, warm, partitions=1, owned=OF_TEN + 2) | {"shops": shops}


def of_bytes(shops: int) -> Figures:
    """Bytes to the database and the internal topics, at 10,000 events a second."""
    return run(shops, 10_000, 40, 10)


def of_partitions(partitions: int) -> Figures:
    """So many partitions, 1,000 shops, 20,000 events a second, SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scaling.db"
        upgrade(url)
        engine = create_engine_for(url)
        found = run(1_000, 20_000, 6, 3, partitions=partitions, store=SqlStore(engine))
        engine.dispose()
    return found | {"partitions": partitions}


def of_size(size: int) -> Figures:
    """Events of so many bytes."""

    def change(_: int, value: bytes) -> bytes:
        if size >= len(value):
            filling = size - len(value) - len(',"notes":""')
            return value[:-1] + b',"notes":"' + b"x" * max(filling, 0) + b'"}'
        fields = msgspec.json.decode(value)
        return msgspec.json.encode({name: fields[name] for name in LEAN})

    found = run(200, 20_000, 2, 1, change=change)
    _, _, value = next(events(1, 1.0, 1))
    return found | {"size": len(change(0, value))}


def of_kpis(categories: int) -> Figures:
    """Shops cut into so many segments; 0 for none."""
    settings = Settings(segments=("category",) if categories else ())

    def change(number: int, value: bytes) -> bytes:
        return CATEGORY.sub(b'"category":"c%d"' % (number * 7 % max(categories, 1)), value)

    kpis = _kpis(settings, change)
    found = run(200, 20_000, 3, 1, change=change, settings=settings)
    return found | {"segments": categories, "KPIs a shop": kpis}


def _kpis(settings: Settings, change: Any) -> float:
    """KPIs a shop after three days."""
    pipeline = Pipeline(settings=settings, flush=FlushSettings(interval=3_600_000))
    given = events(2 * 72 * 100, 72, 2)
    pipeline.feed((at, shop, change(n, value)) for n, (at, shop, value) in enumerate(given))
    pipeline.look(START_MS + 3 * 86_400_000 + 7_200_000, everything=True)
    streams = list(all_streams(pipeline.judge.runner.state))
    return round(sum(len(stream.learned.baselines) for stream in streams) / len(streams), 1)


def of_memory(days: int, shops: int = 100) -> Figures:
    """Resident bytes of a shop after so many days of three events an hour."""
    before = resident()
    pipeline = Pipeline(flush=FlushSettings(interval=3_600_000, longest=7_200_000))
    pipeline.feed(events(shops * days * 72, days * 24, shops))
    pipeline.look(START_MS + days * 86_400_000 + 7_200_000, everything=True)
    gc.collect()
    streams = list(all_streams(pipeline.judge.runner.state))
    kpis = sum(len(stream.learned.baselines) for stream in streams)
    learned = sum(len(msgspec.msgpack.encode(stream.learned)) for stream in streams)
    judged = pipeline.cpu["judge process"]
    return {
        "days": days,
        "shops": len(streams),
        "KPIs a shop": round(kpis / len(streams), 1),
        "resident bytes a shop": round((resident() - before) / shops),
        "stored bytes of what is learned a shop": round(learned / shops),
        "stored bytes a KPI": round(learned / max(kpis, 1)),
        "JUDGE's microseconds a shop and day": round(judged / shops / days * 1e6),
    }


def resident() -> int:
    """Bytes of this process that are in memory now; the most so far where nobody tells."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
