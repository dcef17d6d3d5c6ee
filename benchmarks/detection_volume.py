"""Recall of the volume judging on a simulated fleet, at equal false alarms.

Counts of shops from 3 to 1,000,000 events a day come from `streamwatch.simulation`; they go
through the baselines and the fleet's common factor as in JUDGE, a day at a time. After the
warm-up each shop is forked now and then: the fork gets a fault, the shop itself goes on. The
threshold is set so that the undisturbed days give the wanted rate of false alarms, holidays
and sales that all have at once included; days of a shop's own sale are left out.

    python benchmarks/detection_volume.py --shops 2000 --seeds 1 2 3
"""

import argparse
import datetime as dt
import json
import platform
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from streamwatch.baselines import judging
from streamwatch.baselines.fleetfactor import NONE, Common, common_factor
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict
from streamwatch.simulation.chance import lots
from streamwatch.simulation.fleet import FleetSettings, build_fleet
from streamwatch.simulation.season import is_shared_sale, visits

DAY_MS = 86_400_000
DAYS = 126
FIRST_JUDGED = 56
FAULTS = {"silence": (0.0, 3), "halved": (0.5, 3), "tripled": (3.0, 2), "lasting x0.6": (0.6, 14)}
FORK_DAYS = (63, 84, 105)
RATES = (0.02, 0.001)
SIZES = ((0, 20), (20, 200), (200, 5_000), (5_000, 1e9))
SETTINGS = JudgingSettings()
ANY_SCORE = JudgingSettings(threshold=1.0)


def judge_day(
    baselines: list[judging.Baseline], readings: list[Reading]
) -> tuple[list[Verdict], Common]:
    """One day of all shops as JUDGE judges it: predict, take the common factor, score."""
    ratios = [judging.log_ratio(b, r) for b, r in zip(baselines, readings, strict=True)]
    common = common_factor([ratio for ratio in ratios if ratio is not None])
    verdicts = [
        judging.score(b, r, SETTINGS, common) for b, r in zip(baselines, readings, strict=True)
    ]
    return verdicts, common


def evidence(baseline, reading: Reading, common: Common) -> float:
    """The signed score where the departure matters, else 0."""
    verdict = judging.score(baseline, reading, ANY_SCORE, common)
    return verdict.score if verdict.state == "unusual" else 0.0


def run(seed: int, shops: int, sale_rate: float) -> tuple[dict, float]:
    """Scores of one simulated fleet: undisturbed, and of each fault; and µs a bucket."""
    settings = FleetSettings(
        shops=shops, days=DAYS, seed=seed, start=dt.date(2026, 9, 1),
        smallest=3.0, largest=1e6, sale_rate=sale_rate,
    )  # fmt: skip
    fleet = build_fleet(settings)
    names = fleet.names
    counts = np.stack([visits(fleet, day) for day in range(DAYS)])
    own_sale = own_sales(settings)
    keys = [KpiKey(name, "widget-event", "volume") for name in names]
    baselines = [judging.begin(key) for key in keys]
    scores: dict = {"clean": [], **{fault: [] for fault in FAULTS}}
    rng = np.random.default_rng(seed)
    commons: dict[int, Common] = {}
    forks: dict[int, list] = {}
    spent = 0.0
    for day in range(DAYS):
        if day in FORK_DAYS:
            forks[day] = list(baselines)
        weekday = (settings.start + dt.timedelta(days=day)).weekday()
        readings = [
            Reading(key, day * DAY_MS, weekday, float(n), int(n))
            for key, n in zip(keys, counts[day], strict=True)
        ]
        began = time.perf_counter()
        verdicts, commons[day] = judge_day(baselines, readings)
        before = baselines
        baselines = [
            judging.learn(b, r, v, SETTINGS, commons[day])
            for b, r, v in zip(before, readings, verdicts, strict=True)
        ]
        spent += time.perf_counter() - began
        if day >= FIRST_JUDGED:
            scores["clean"] += [
                (shop, abs(evidence(b, r, commons[day])))
                for shop, (b, r) in enumerate(zip(before, readings, strict=True))
                if not own_sale[day, shop]
            ]
    for start, begun in forks.items():
        for fault, (factor, length) in FAULTS.items():
            for shop, forked in enumerate(begun):
                scores[fault].append((shop, fork(
                    forked, keys[shop], counts[:, shop], start, (factor, length),
                    settings.start, commons, rng,
                )))  # fmt: skip
    sizes = fleet.size
    scores = {kind: [(float(sizes[shop]), score) for shop, score in found]
              for kind, found in scores.items()}  # fmt: skip
    return scores, spent / (shops * DAYS) * 1e6


def own_sales(settings: FleetSettings) -> np.ndarray:
    """(days, shops): days of a sale of the shop's own, drawn as the simulation draws them."""
    shops = np.arange(settings.shops)
    rows = []
    for day in range(settings.days):
        date = settings.start + dt.timedelta(days=day)
        days = np.full(settings.shops, date.toordinal())
        own = lots(settings.seed + 101, shops, days) < settings.sale_rate
        rows.append(own & ~is_shared_sale(date))
    return np.stack(rows)


def fork(baseline, key, counts, start, fault, first, commons, rng) -> float:
    """The largest score while a fault lasts."""
    factor, length = fault
    best = 0.0
    for day in range(start, start + length):
        n = int(rng.binomial(counts[day], factor)) if factor < 1 else int(counts[day] * factor)
        weekday = (first + dt.timedelta(days=day)).weekday()
        reading = Reading(key, day * DAY_MS, weekday, float(n), n)
        common = commons.get(day, NONE)
        score = evidence(baseline, reading, common)
        best = max(best, score if factor > 1 else -score)
        verdict = judging.score(baseline, reading, SETTINGS, common)
        baseline = judging.learn(baseline, reading, verdict, SETTINGS, common)
    return best


def table(scores: dict) -> dict:
    """Recall at each rate of false alarms, overall and by size."""
    clean = np.sort([score for _, score in scores["clean"]])[::-1]
    months = len(clean) / 30
    result: dict = {}
    for rate in RATES:
        allowed = int(rate * months)
        threshold = float(clean[allowed])
        row: dict = {"threshold": round(threshold, 2), "false alarms allowed": allowed}
        for fault in FAULTS:
            found = np.array([score > threshold for _, score in scores[fault]])
            size = np.array([size for size, _ in scores[fault]])
            row[fault] = round(float(found.mean()), 3)
            row[f"{fault} by size"] = [
                round(float(found[(size >= low) & (size < high)].mean()), 2) for low, high in SIZES
            ]
        result[str(rate)] = row
    at_default = float((clean >= SETTINGS.threshold).sum() / months)
    result["at the default threshold"] = {
        "false alarms per shop-month": round(at_default, 5),
        **{f: round(float(np.mean([s >= SETTINGS.threshold for _, s in scores[f]])), 3)
           for f in FAULTS},
    }  # fmt: skip
    return result


def main() -> None:
    """Run it and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--sale-rate", type=float, default=1 / 45)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    together: dict = defaultdict(list)
    costs = []
    for seed in chosen.seeds:
        print(f"seed {seed} …", file=sys.stderr)
        scores, cost = run(seed, chosen.shops, chosen.sale_rate)
        costs.append(cost)
        for kind, found in scores.items():
            together[kind] += found
    result = {
        "command": " ".join(["python", "benchmarks/detection_volume.py", *sys.argv[1:]]),
        "python": platform.python_version(),
        "microseconds per bucket": round(float(np.mean(costs)), 1),
        **table(together),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
