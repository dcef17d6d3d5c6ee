"""What a scrape of /metrics costs with 5,000 shops of 30 KPIs on one worker.

    python benchmarks/metrics_scrape.py [--out benchmarks/results]

Fills the metrics of a worker with the verdicts of 150,000 KPIs (and three segments of each volume)
and asks its server over loopback: when nothing changed, when one shop in a hundred changed, and
when all did. Each is asked a few times; told are the median and the slowest, wall and processor.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from streamwatch.adapters.prometheus.collector import MAX_SERIES, WorkerMetrics, installed_build
from streamwatch.adapters.prometheus.server import serve
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow, VerdictRow
from streamwatch.domain.verdicts import Verdict
from streamwatch.runner.ports import Flush

SHOPS = 5_000
DAY_MS = 86_400_000
FIRST_DAY = 20_000 * DAY_MS
NUMBERS = {
    "widget-event": ("mean.height", "mean.weight", "mean.age"),
    "purchase": ("mean.price.EUR", "mean.quantity", "ratio.conversion"),
    "return": ("mean.quantity", "ratio.returns", "silence"),
}
EVERY = ("volume", "missing.category", "missing.gender", "rejects", "marks", "mix.category",
         "mix.gender")  # fmt: skip
SEGMENTS = ("gender=female", "gender=male", "category=shoes")
JUDGE = PartitionId("judge", "streamwatch.readings", 0)
FLEET = PartitionId("fleet", "streamwatch.verdicts", 0)
OPEN = 100
ROUNDS = 7


def keys(shop: str) -> list[KpiKey]:
    """Thirty KPIs of a shop, and the segments of its volumes."""
    found = [
        KpiKey(shop, event_type, kpi)
        for event_type, own in NUMBERS.items()
        for kpi in (*EVERY, *own)
    ]
    segments = [KpiKey(shop, kind, "volume", one) for kind in NUMBERS for one in SEGMENTS]
    return found + segments


def verdict(key: KpiKey, day: int) -> Verdict:
    """A usual verdict."""
    return Verdict(
        key=key, bucket=FIRST_DAY + day * DAY_MS, value=120.25 + day, n=120, state="usual",
        score=-1.5, expected=150.5, lower=90.25, upper=210.75, reason="within the band",
    )  # fmt: skip


def incident(shop: str) -> Incident:
    """An open incident."""
    key = KpiKey(shop, "purchase", "volume")
    return Incident(
        id=f"{shop}/purchase/volume/all/day/low@1", key=key, direction="low", status="open",
        since=FIRST_DAY, until=None, last_bucket=FIRST_DAY, value=20.0, expected=150.0, lower=90.0,
        upper=210.0, score=-6.0, buckets=2, reason="", revision=1, updated_at=FIRST_DAY,
        origin="client",
    )  # fmt: skip


def judge(metrics: WorkerMetrics, shops: Sequence[str], day: int) -> None:
    """The verdicts of a day of some shops, a flush each."""
    for shop in shops:
        rows = [VerdictRow(verdict(key, day)) for key in keys(shop)]
        metrics.committed(Flush(JUDGE, 0, 1, 0, "", {}, rows, None), 0.01)


def asked(url: str, *, packed: bool) -> tuple[float, float, bytes]:
    """Wall and processor seconds of one answer, and the answer."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"} if packed else {})
    wall, cpu = time.perf_counter(), time.process_time()
    with urllib.request.urlopen(request, timeout=60) as answer:
        body = answer.read()
    return time.perf_counter() - wall, time.process_time() - cpu, body


def measured(url: str, before: Callable[[int], None], *, packed: bool = False) -> dict[str, float]:
    """A few answers, each after a change."""
    walls, cpus, size = [], [], 0
    for round_ in range(ROUNDS):
        before(round_)
        wall, cpu, body = asked(url, packed=packed)
        walls.append(wall)
        cpus.append(cpu)
        size = len(body)
    return {
        "wall_median_s": round(statistics.median(walls), 3),
        "wall_slowest_s": round(max(walls), 3),
        "cpu_median_s": round(statistics.median(cpus), 3),
        "bytes": size,
    }


def run(max_series: int) -> dict[str, Any]:
    """All measurements with one budget."""
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, installed_build(), max_series)
    shops = [f"shop-{number:04d}" for number in range(SHOPS)]
    judge(metrics, shops, 0)
    rows = [IncidentRow(incident(shop)) for shop in shops[:: SHOPS // OPEN]]
    metrics.committed(Flush(FLEET, 0, 1, 0, "", {}, rows, None), 0.01)
    server = serve(registry)
    url = f"http://127.0.0.1:{server.port}/metrics"
    try:
        first = measured(url, lambda _: None)
        text = asked(url, packed=False)[2].decode()
        series = sum(1 for line in text.splitlines() if 'shop="' in line)
        return {
            "max_series": max_series,
            "series": series,
            "nothing changed": first,
            "nothing changed, gzip": measured(url, lambda _: None, packed=True),
            "one shop in 100 changed": measured(
                url, lambda round_: judge(metrics, shops[::100], 10 + round_)
            ),
            "every KPI changed": measured(url, lambda round_: judge(metrics, shops, 20 + round_)),
        }
    finally:
        server.stop()


def table(runs: list[dict[str, Any]]) -> str:
    """The runs as Markdown."""
    lines = [
        "| budget | series told | scrape when | median | slowest | processor | MB |",
        "|---:|---:|---|---:|---:|---:|---:|",
    ]
    for found in runs:
        for name, one in found.items():
            if isinstance(one, dict):
                lines.append(
                    f"| {found['max_series']:,} | {found['series']:,} | {name} | "
                    f"{one['wall_median_s']:.3f} s | {one['wall_slowest_s']:.3f} s | "
                    f"{one['cpu_median_s']:.3f} s | {one['bytes'] / 1e6:.1f} |"
                )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=None, help="folder for the results")
    options = parser.parse_args()
    runs = []
    for budget in (MAX_SERIES, 10_000_000):
        runs.append(run(budget))
        print(table(runs[-1:]), file=sys.stderr)
    head = (
        f"`python benchmarks/metrics_scrape.py`, {time.strftime('%Y-%m-%d')}, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores of {platform.machine()} that "
        f"others use too; {SHOPS:,} shops of 30 KPIs, {OPEN} open incidents; nothing is random.\n\n"
    )
    print(head + table(runs))
    if options.out is not None:
        page = "# What a scrape costs\n\n" + head + table(runs)
        (options.out / "metrics_scrape.md").write_text(page)
        (options.out / "metrics_scrape.json").write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
