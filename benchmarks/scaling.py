"""How throughput, memory, bytes and take-over grow: points of curves, with the fitted laws.

    PYTHONPATH=src python benchmarks/scaling.py [PART …] --out benchmarks/results [--minutes 3.5]

Parts: ``shops``, ``bytes``, ``partitions``, ``sizes``, ``kpis``, ``memory`` (no broker, see
`scaling_points`), ``workers``, ``kafka-partitions`` and ``take-over`` (Kafka and PostgreSQL are
started here, see `scaling_kafka`).

It stops after so many minutes and writes what it has; the same command again goes on with what is
missing. ``--anew`` measures again what is there. Workers are measured several rounds, one number
of workers after the other, since what else the machine does hits all alike then.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from machine import described, in_words

sys.path.insert(0, str(Path(__file__).parent / "throughput"))
import scaling_kafka
import scaling_points
from scaling_report import plots, table
from workload import SEED

Figures = dict[str, Any]
Point = tuple[str, Callable[..., Figures], tuple[int, ...]]

SHOPS = (10, 100, 1_000, 10_000, 100_000)
ROUNDS = 5
ALONE: dict[str, list[Point]] = {
    "shops": [(f"{n} shops", scaling_points.of_shops, (n,)) for n in SHOPS],
    "bytes": [(f"{n} shops", scaling_points.of_bytes, (n,)) for n in (100, 1_000, 10_000)],
    "partitions": [(f"{n} partitions", scaling_points.of_partitions, (n,)) for n in (1, 4, 16, 64)],
    "sizes": [(f"{n} B", scaling_points.of_size, (n,)) for n in (200, 400, 1_000, 3_000, 10_000)],
    "kpis": [(f"{n} segments", scaling_points.of_kpis, (n,)) for n in (0, 1, 4, 12, 20)],
    "memory": [(f"{n} days", scaling_points.of_memory, (n,)) for n in (2, 10, 20)],
}
WITH_KAFKA: dict[str, list[Point]] = {
    "workers": [
        (f"{n} workers, round {one + 1}", scaling_kafka.of_workers, (n,))
        for one in range(ROUNDS)
        for n in (1, 2, 4)
    ],
    "kafka-partitions": [
        (f"{n} partitions", scaling_kafka.of_partitions, (n,)) for n in (1, 4, 16, 64)
    ],
    "take-over": [
        (f"{n} workers, round {one + 1}", scaling_kafka.of_take_over, (n,))
        for one in range(3)
        for n in (2, 4)
    ],
}


def missing(parts: list[str], found: Figures) -> Iterator[tuple[str, Point]]:
    """The points that were not measured yet."""
    for part in parts:
        for point in (ALONE | WITH_KAFKA)[part]:
            if point[0] not in found.get(part, {}):
                yield part, point


def measure(parts: list[str], found: Figures, until: float, kept: Path | None) -> None:
    """Measure what is missing until the time is over; every point is kept at once."""
    with ExitStack() as stack:
        on: scaling_kafka.Services | None = None
        for part, (name, point, arguments) in missing(parts, found):
            if time.monotonic() > until:
                print("time is over: the same command goes on", file=sys.stderr)
                return
            if part in WITH_KAFKA:
                on = on or stack.enter_context(scaling_kafka.services())
                figures = point(*arguments)(on)
            else:
                # A process each, since what one has freed the next would take without growing.
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                    figures = alone.submit(point, *arguments).result()
            found["seed"] = SEED
            found.setdefault("machines", {})[part] = described()
            found.setdefault(part, {})[name] = figures
            print(part, name, json.dumps(figures), file=sys.stderr)
            if kept is not None:
                kept.write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*ALONE, *WITH_KAFKA, []])
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    until = time.monotonic() + options.minutes * 60
    parts = options.parts or [*ALONE, *WITH_KAFKA]
    kept = options.out / "scaling.json" if options.out else None
    found: Figures = json.loads(kept.read_text()) if kept is not None and kept.exists() else {}
    if options.anew:
        found = {name: figures for name, figures in found.items() if name not in parts}
    measure(parts, found, until, kept)
    print(in_words(described()))
    print(table(found))
    if options.out is not None:
        (options.out / "scaling.md").write_text(table(found))
        for name, text in plots(found).items():
            (options.out / name).write_text(text)


if __name__ == "__main__":
    main()
