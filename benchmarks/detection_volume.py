"""Recall of the volume judging on a simulated fleet, at equal false alarms, beside other rules.

Counts of shops from 3 to 1,000,000 events a day come from `streamwatch.simulation`; they go
through the baselines and the fleet's common factor as in JUDGE, a day at a time. After the
warm-up each shop is forked now and then: the fork gets a fault, the shop itself goes on. The
threshold is set so that the undisturbed days give the wanted rate of false alarms, holidays
and sales that all have at once included; days of a shop's own sale are left out. The other
rules see the same counts, with a threshold of their own from the same days.

    python benchmarks/detection_volume.py --shops 2000 --seeds 1 2 3 --out benchmarks/results
"""

import argparse
import datetime as dt
import json
import sys
import time
from collections import defaultdict
from pathlib import Path

import msgspec
import numpy as np
from detection.volume_report import report
from detection.volume_rivals import RULES, HoltWinters
from machine import described

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
OURS = "streamwatch"
HOLT_WINTERS = "River PAD(HoltWinters)"

Scores = dict[str, list[tuple[float, float]]]
"""`clean` or a fault → size of the shop, and its score."""


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


class Simulated:
    """One simulated fleet: its counts, and those of each fault from each fork day on."""

    def __init__(self, seed: int, shops: int, sale_rate: float) -> None:
        self.settings = FleetSettings(
            shops=shops, days=DAYS, seed=seed, start=dt.date(2026, 9, 1),
            smallest=3.0, largest=1e6, sale_rate=sale_rate,
        )  # fmt: skip
        fleet = build_fleet(self.settings)
        self.names, self.sizes = fleet.names, fleet.size
        self.counts = np.stack([visits(fleet, day) for day in range(DAYS)])
        self.own_sale = own_sales(self.settings)
        rng = np.random.default_rng(seed)
        self.faulty = {}
        for start in FORK_DAYS:
            for fault, (factor, length) in FAULTS.items():
                days = self.counts[start : start + length]
                changed = rng.binomial(days, factor) if factor < 1 else (days * factor).astype(int)
                self.faulty[start, fault] = changed

    def weekday(self, day: int) -> int:
        """The weekday of a day, 0 Monday."""
        return (self.settings.start + dt.timedelta(days=day)).weekday()


def ours(fleet: Simulated) -> tuple[Scores, dict[str, float]]:
    """Scores by the baselines, and what they cost."""
    keys = [KpiKey(name, "widget-event", "volume") for name in fleet.names]
    baselines = [judging.begin(key) for key in keys]
    scores: Scores = {"clean": [], **{fault: [] for fault in FAULTS}}
    commons: dict[int, Common] = {}
    forks: dict[int, list] = {}
    spent = 0.0
    for day in range(DAYS):
        if day in FORK_DAYS:
            forks[day] = list(baselines)
        readings = [
            Reading(key, day * DAY_MS, fleet.weekday(day), float(n), int(n))
            for key, n in zip(keys, fleet.counts[day], strict=True)
        ]
        began = time.process_time()
        verdicts, commons[day] = judge_day(baselines, readings)
        before = baselines
        baselines = [
            judging.learn(b, r, v, SETTINGS, commons[day])
            for b, r, v in zip(before, readings, verdicts, strict=True)
        ]
        spent += time.process_time() - began
        if day >= FIRST_JUDGED:
            scores["clean"] += [
                (fleet.sizes[shop], abs(evidence(b, r, commons[day])))
                for shop, (b, r) in enumerate(zip(before, readings, strict=True))
                if not fleet.own_sale[day, shop]
            ]
    for (start, fault), counts in fleet.faulty.items():
        for shop, forked in enumerate(forks[start]):
            best = fork(forked, keys[shop], counts[:, shop], start, fleet, commons)
            side = 1 if FAULTS[fault][0] > 1 else -1
            scores[fault].append((fleet.sizes[shop], max(side * one for one in best)))
    return scores, {
        "microseconds": spent / (len(keys) * DAYS) * 1e6,
        "encodings": spent / (len(keys) * DAYS) / _encoding_seconds(verdicts[0]),
        "bytes": float(np.mean([len(msgspec.msgpack.encode(b)) for b in baselines])),
    }


def fork(baseline, key, counts, start, fleet, commons) -> list[float]:
    """The signed scores while a fault lasts; what is unusual is not learned."""
    found = [0.0]
    for day, n in enumerate(counts.tolist(), start):
        reading = Reading(key, day * DAY_MS, fleet.weekday(day), float(n), n)
        common = commons.get(day, NONE)
        found.append(evidence(baseline, reading, common))
        verdict = judging.score(baseline, reading, SETTINGS, common)
        baseline = judging.learn(baseline, reading, verdict, SETTINGS, common)
    return found


def rivals(fleet: Simulated) -> dict[str, Scores]:
    """Scores by every other rule."""
    found = {}
    for name, rule in RULES.items():
        by_fault = {
            (start, fault): rule(np.concatenate([fleet.counts[:start], counts]))[start:]
            for (start, fault), counts in fleet.faulty.items()
        }
        found[name] = _scores(fleet, rule(fleet.counts), by_fault)
    detector = HoltWinters(len(fleet.names))
    clean = np.zeros(fleet.counts.shape)
    by_fault = {}
    for day in range(DAYS):
        if day in FORK_DAYS:
            for fault in FAULTS:
                forked = detector.forked()
                by_fault[day, fault] = np.stack(
                    [forked.judge(counts) for counts in fleet.faulty[day, fault]]
                )
        clean[day] = detector.judge(fleet.counts[day])
    found[HOLT_WINTERS] = _scores(fleet, clean, by_fault)
    return found


def _scores(fleet: Simulated, clean: np.ndarray, by_fault: dict) -> Scores:
    shops = range(len(fleet.names))
    scores: Scores = {
        "clean": [
            (fleet.sizes[shop], abs(float(clean[day, shop])))
            for day in range(FIRST_JUDGED, DAYS)
            for shop in shops
            if not fleet.own_sale[day, shop]
        ],
        **{fault: [] for fault in FAULTS},
    }
    for (_, fault), found in by_fault.items():
        best = (found if FAULTS[fault][0] > 1 else -found).max(axis=0)
        scores[fault] += [(fleet.sizes[shop], float(best[shop])) for shop in shops]
    return scores


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


def _encoding_seconds(verdict: Verdict, times: int = 100_000) -> float:
    """Seconds of one encoding of a verdict by msgspec: how fast the machine is now."""
    encode = msgspec.msgpack.Encoder().encode
    began = time.process_time()
    for _ in range(times):
        encode(verdict)
    return (time.process_time() - began) / times


def table(scores: Scores) -> dict:
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
    return result


def at_default(scores: Scores) -> dict[str, float]:
    """False alarms and recall at the threshold of the default settings."""
    clean = np.array([score for _, score in scores["clean"]])
    limit = SETTINGS.threshold
    return {
        "threshold": limit,
        "false alarms per shop-month": round(float((clean >= limit).sum() / len(clean) * 30), 5),
        **{f: round(float(np.mean([s >= limit for _, s in scores[f]])), 3) for f in FAULTS},
    }


def main() -> None:
    """Run it and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--sale-rate", type=float, default=1 / 45)
    parser.add_argument("--without-rivals", action="store_true")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    together: dict[str, Scores] = defaultdict(lambda: defaultdict(list))
    costs = []
    for seed in chosen.seeds:
        print(f"seed {seed} …", file=sys.stderr)
        fleet = Simulated(seed, chosen.shops, chosen.sale_rate)
        scores, cost = ours(fleet)
        costs.append(cost)
        found = {OURS: scores, **({} if chosen.without_rivals else rivals(fleet))}
        for rule, by_kind in found.items():
            for kind, some in by_kind.items():
                together[rule][kind] += some
    result = {
        "machine": described(),
        "cost": {name: float(np.mean([one[name] for one in costs])) for name in costs[0]},
        "rules": {rule: table(scores) for rule, scores in together.items()},
        "at the default threshold": at_default(together[OURS]),
    }
    text = report(result, tuple(FAULTS), OURS)
    print(text)
    if chosen.out:
        (chosen.out / "detection_volume.json").write_text(json.dumps(result, indent=2) + "\n")
        (chosen.out / "detection_volume.md").write_text(text)


if __name__ == "__main__":
    main()
