"""How cost, memory and bytes grow with shops, partitions, event size and age.

    PYTHONPATH=src python benchmarks/scaling.py shops partitions sizes bytes memory \
        --out benchmarks/results

No broker: the steps on the runner in one process, see `inprocess`. Told are processor seconds.
Each law is the exponent of the power that fits best.
"""

import argparse
import gc
import json
import resource
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
from inprocess import Pipeline
from machine import described, in_words
from svg import curves, law

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.settings import FlushSettings
from streamwatch.steps.judgestate import all_streams

sys.path.insert(0, str(Path(__file__).parent / "throughput"))
from workload import START_MS, events

Figures = dict[str, Any]


def run(shops: int, rate: int, seconds: float, **options: Any) -> Figures:
    """Live events at a rate, and what they cost."""
    padding = options.pop("padding", 0)
    pipeline = Pipeline(**options)
    count = int(rate * seconds)
    given = events(count, seconds / 3600, shops)
    if padding:
        filling = b',"notes":"' + b"x" * padding + b'"}'
        given = ((at, shop, value[:-1] + filling) for at, shop, value in given)
    pipeline.feed(list(given))
    pipeline.look(START_MS + int(seconds * 1000) + 20_000, everything=True)
    total = sum(pipeline.cpu.values())
    written = pipeline.size["state bytes"] + pipeline.size["message bytes"]
    return {
        "events": count,
        "events a CPU second": round(count / total),
        "microseconds": {
            name: round(spent / count * 1e6, 2) for name, spent in sorted(pipeline.cpu.items())
        },
        "bytes an event": round(written / count, 1),
        **pipeline.size,
    }


def by_shops() -> Figures:
    """10 to 100,000 shops at 20,000 events a second."""
    return {
        f"{shops} shops": {"shops": shops} | run(shops, 20_000, 15)
        for shops in (10, 100, 1_000, 10_000, 100_000)
    }


def by_partitions() -> Figures:
    """1 to 64 partitions, 1,000 shops, 20,000 events a second, SQLite."""
    found: Figures = {}
    for partitions in (1, 4, 16, 64):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/scaling.db"
            upgrade(url)
            engine = create_engine_for(url)
            found[f"{partitions} partitions"] = {"partitions": partitions} | run(
                1_000, 20_000, 10, partitions=partitions, store=SqlStore(engine)
            )
            engine.dispose()
    return found


def by_size() -> Figures:
    """Events of 0.4 to 10 KB."""
    return {
        f"{padding + 390} B": {"size": padding + 390} | run(200, 20_000, 4, padding=padding)
        for padding in (1, 600, 2_500, 10_000)
    }


def bytes_written() -> Figures:
    """Bytes to the database and the internal topics, at 10,000 events a second."""
    found: Figures = {}
    for shops in (100, 1_000, 10_000):
        found[f"{shops} shops"] = {"shops": shops} | run(shops, 10_000, 40)
    return found


def memory() -> Figures:
    """Resident bytes of a shop: COUNT's and JUDGE's, after so many days."""
    found: Figures = {}
    for days in (2, 10, 20):
        # A process each, since what one has freed the next would take without growing.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            found[f"{days} days"] = alone.submit(memory_after, days).result()
    return found


def memory_after(days: int, shops: int = 200) -> Figures:
    """The same after so many days of three events an hour."""
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


PARTS: dict[str, Callable[[], Figures]] = {
    "shops": by_shops,
    "partitions": by_partitions,
    "sizes": by_size,
    "bytes": bytes_written,
    "memory": memory,
}


def plots(found: Figures) -> dict[str, str]:
    """The curves of what was measured."""
    made = {}
    if "shops" in found:
        line = [(one["shops"], one["events a CPU second"]) for one in found["shops"].values()]
        axes = ("shops", "events a CPU second, at 20,000 events/s")
        made["scaling_shops.svg"] = curves(
            "Throughput by shops", axes, {f"all steps: x^{law(line):.2f}": line}
        )
    if "bytes" in found:
        line = [(one["shops"], one["bytes an event"]) for one in found["bytes"].values()]
        axes = ("shops", "bytes written an event, at 10,000 events/s")
        made["scaling_bytes.svg"] = curves(
            "Bytes by shops", axes, {f"state and messages: x^{law(line):.2f}": line}
        )
    if "partitions" in found:
        line = [(p["partitions"], p["events a CPU second"]) for p in found["partitions"].values()]
        axes = ("partitions", "events a CPU second, SQLite")
        made["scaling_partitions.svg"] = curves(
            "Throughput by partitions", axes, {f"1,000 shops: x^{law(line):.2f}": line}
        )
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    kept = options.out / "scaling.json" if options.out else None
    found: Figures = json.loads(kept.read_text()) if kept is not None and kept.exists() else {}
    for name in options.parts or PARTS:
        machine = found.setdefault("machines", {})[name] = described()
        print(in_words(machine))
        found[name] = PARTS[name]()
        print(name, json.dumps(found[name], indent=1))
    if kept is not None:
        kept.write_text(json.dumps(found, indent=1) + "\n")
        for name, text in plots(found).items():
            (options.out / name).write_text(text)


if __name__ == "__main__":
    main()
