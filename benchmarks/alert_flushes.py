"""How many flushes of an open hour an alert waits for, at any minute of the hour.

    python benchmarks/alert_flushes.py --out benchmarks/results

JUDGE and FLEET learn 16 days of a shop; then an hour is filled up to a minute of it, and from then
on COUNT's partial comes once a second, as of 100 shops at 20,000 records a second. From a moment
between two flushes on the shop sends inches for centimetres, or lacks the height. Told is the time
from the first faulty record to the flush by which its incident opens. No clock is read for that,
so a busy machine does not change it; what a worker, Kafka and a scrape add, `alert_latency.py`
measures.
"""

import argparse
import json
import time
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from machine import described, in_words

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.messages import Heartbeat, Partial
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.sketch import LOG_GAMMA
from streamwatch.steps.fleet import FleetStep
from streamwatch.steps.judge import JudgeStep

DAYS, A_DAY, A_SECOND = 16, 4_000, 200
MINUTES = (0, 1, 10, 30, 50, 59)
LONGEST_S = 600
MONDAY = 1_704_067_200_000
TODAY = MONDAY + DAYS * DAY_MS
FAULTS = {"a field lacks": "missing.height", "wrong unit": "mean.height"}


def cell_of(heights: np.ndarray, missing: int = 0) -> Cell:
    """The cell of records with these heights, and of some that lack it."""
    n = len(heights)
    bins = Counter(np.ceil(np.log(heights) / LOG_GAMMA).astype(int).tolist())
    mean, m2 = (float(heights.mean()), float(heights.var() * n)) if n else (0.0, 0.0)
    found = {"height": Moments(n, mean, m2, missing)}
    return Cell(
        count=n + missing,
        numbers=found,
        sketches={"height": dict(bins)},
        stages={"decode": found, "normalise": found},
    )


class Shop:
    """One shop before JUDGE and FLEET."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._judge = JudgeStep(JudgingSettings(), lambda _: UTC)
        self._fleet = FleetStep(JudgingSettings())
        self._judged, self._grouped = self._judge.restore({}), self._fleet.restore({})
        self._offset = 0
        self.rng = rng
        for day in range(DAYS):
            start = MONDAY + day * DAY_MS
            self.send(start + 12 * HOUR_MS, cell_of(self.people(A_DAY), A_DAY // 200))
            beat = start + DAY_MS + 2 * HOUR_MS
            self._tell(Heartbeat("widget-event", "w", 0, self._offset, 0, beat, beat))

    def people(self, n: int) -> np.ndarray:
        """What so many shoppers type."""
        return self.rng.normal(170.0, 9.0, n)

    def send(self, hour: int, cell: Cell) -> set[str]:
        """COUNT's partial of an hour; the KPIs of the incidents that open by it."""
        partial = Partial("widget-event", "w", 0, "shop", hour, self._offset, hour, {ALL: cell})
        return self._tell(partial)

    def _tell(self, message: Partial | Heartbeat) -> set[str]:
        self._offset += 1
        record = FileRecord(offset=self._offset, value=msgspec.msgpack.encode(message))
        outcome = self._judge.process(self._judged, Slice("readings", 0, (record,)), 0)
        records = [FileRecord(offset=0, value=one.value) for one in outcome.messages]
        told = self._fleet.process(self._grouped, Slice("verdicts", 0, tuple(records)), 0)
        return {row.incident.key.kpi for row in told.rows if row.incident.status == "open"}


def wait(seed: int, minute: int, fault: str) -> float:
    """Seconds from the first faulty record until its incident is open; infinite if it never is."""
    shop = Shop(np.random.default_rng([seed, minute, sorted(FAULTS).index(fault)]))
    hour, into = Cell(), float(shop.rng.random())
    for _ in range(minute):
        hour.merge(cell_of(shop.people(60 * A_SECOND), 60))
    shop.send(TODAY, hour)
    for flush in range(1, LONGEST_S):
        wrong = A_SECOND if flush > 1 else round(A_SECOND * (1 - into))
        hour.merge(cell_of(shop.people(A_SECOND - wrong)))
        if fault == "wrong unit":
            hour.merge(cell_of(shop.people(wrong) / 2.54))
        else:
            hour.merge(cell_of(shop.people(0), wrong))
        if FAULTS[fault] in shop.send(TODAY, hour):
            return flush - into
    return float("inf")


def table(rows: list[dict[str, Any]]) -> str:
    """The result as Markdown."""
    lines = [
        "| fault | begins in minute | p50 | p99 | not within 10 min |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one['fault']} | {one['minute']} | {one['p50']:.2f} s | {one['p99']:.2f} s | "
        f"{one['untold']} of {one['tries']} |"
        for one in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run it and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    rows, used = [], time.process_time()
    for fault in FAULTS:
        for minute in MINUTES:
            waits = [wait(seed, minute, fault) for seed in range(chosen.tries)]
            untold = sum(np.isinf(waits))
            p50, p99 = np.quantile(waits, [0.5, 0.99], method="higher")
            row = {"p50": float(p50), "p99": float(p99), "untold": int(untold)}
            rows.append({"fault": fault, "minute": minute, "tries": chosen.tries, **row})
    facts = described()
    text = (
        "# Flushes until an alert\n\n"
        f"`{facts['command']}`, {in_words(facts)}; {time.process_time() - used:.0f} s of the "
        "processor; seeds 0 and up.\n\n" + table(rows)
    )
    print(text)
    if chosen.out:
        facts["rows"] = rows
        (chosen.out / "alert_flushes.json").write_text(json.dumps(facts, indent=1) + "\n")
        (chosen.out / "alert_flushes.md").write_text(text)


if __name__ == "__main__":
    main()
