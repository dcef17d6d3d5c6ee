"""How soon wrong units and missing fields are told, by what was learned of clean days.

Heights are those that the simulation's shoppers type: women and men, a shift common to the day.
They go through the baseline of a mean and the sketch as in JUDGE, a day at a time.
"""

from collections import Counter

import numpy as np

from streamwatch.baselines import judging, units
from streamwatch.baselines.evidence import SURE, evidence_of_rise
from streamwatch.baselines.strays import strays_among
from streamwatch.baselines.units import UnitWatch
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.sketch import LOG_GAMMA
from streamwatch.simulation.fleet import FleetSettings, build_fleet
from streamwatch.simulation.people import bodies, choose_shoppers, declared

DAY_MS = 86_400_000
LEARNT = 28
DAYS = 42
KEY = KpiKey("shop", "widget-event", "mean.height")
SETTINGS = JudgingSettings()


def heights(fleet, shop: int, day: int, n: int, rng) -> np.ndarray:
    """What the shoppers of a day type."""
    shops = np.full(n, shop)
    shopper = choose_shoppers(fleet, shops, day, rng)
    height, _, _ = bodies(fleet, shops, shopper)
    return declared(height, np.full(n, rng.normal(0.0, 0.15)), rng)


def reading(values: np.ndarray, day: int) -> Reading:
    """The mean of a day, with its sketch."""
    bins = Counter(np.ceil(np.log(values) / LOG_GAMMA).astype(int).tolist())
    spread = float(values.var(ddof=1)) if len(values) > 1 else 0.0
    mean = float(values.mean())
    return Reading(KEY, day * DAY_MS, day % 7, mean, len(values), spread, bins=dict(bins))


def inches(seed: int, n: int, share: float, shops: int) -> dict[str, float]:
    """Days with a share in inches that are told and named, and clean days that are, of all."""
    fleet = build_fleet(FleetSettings(shops=shops, days=DAYS, seed=seed, smallest=n, largest=n))
    rng = np.random.default_rng([seed, n])
    named = mean_rule = clean = tried = clean_rule = 0
    for shop in range(shops):
        baseline = judging.begin(KEY)
        past: list[float] = []
        for day in range(DAYS):
            values = heights(fleet, shop, day, max(int(rng.poisson(n)), 2), rng)
            plain = reading(values, day)
            if day >= LEARNT:
                tried += 1
                center, sigma = np.mean(past[-LEARNT:]), np.std(past[-LEARNT:])
                verdict = judging.score(baseline, plain, SETTINGS)
                clean += "inches" in verdict.reason or verdict.state == "unusual"
                clean_rule += abs(plain.value - center) > 3 * sigma
                hit = rng.random(len(values)) < share
                wrong = reading(np.where(hit, np.round(values / 2.54, 1), values), day)
                named += "inches" in judging.score(baseline, wrong, SETTINGS).reason
                mean_rule += abs(wrong.value - center) > 3 * sigma
            verdict = judging.score(baseline, plain, SETTINGS)
            baseline = judging.learn(baseline, plain, verdict, SETTINGS)
            past.append(plain.value)
    return {
        "days": tried,
        "found and named": named / tried,
        "clean days told": clean / tried,
        "rule: mean beyond 3 sigma, found": mean_rule / tried,
        "rule: clean days told": clean_rule / tried,
    }


def records_until_sure(rate: float, lost: float, rng) -> int:
    """Records after a field begins to lack until that is told; tested one by one."""
    total, n, lacking = 0.0, 0, 0
    while True:
        n += 1
        lacks = bool(rng.random() < lost)
        lacking += lacks
        total = max(total + evidence_of_rise(rate, int(lacks), 1), 0.0)
        if total >= SURE and lacking >= 3:
            return n


def missing(seed: int, lost: float, tries: int = 2_000) -> dict[str, float]:
    """Median and 95th percentile of the records needed, over usual rates of 0.2 to 3 %."""
    rng = np.random.default_rng([seed, 77])
    found = [
        records_until_sure(rate, max(lost, rate), rng) for rate in rng.uniform(0.002, 0.03, tries)
    ]
    return {"median": float(np.median(found)), "95 % within": float(np.quantile(found, 0.95))}


def watch_of(seed: int, n: int = 2_000) -> tuple[UnitWatch, np.ndarray]:
    """Where the heights of a shop lie after some days, and clean heights of later days."""
    fleet = build_fleet(FleetSettings(shops=1, days=DAYS, seed=seed, smallest=n, largest=n))
    rng = np.random.default_rng([seed, 79])
    watch = UnitWatch()
    for day in range(LEARNT):
        bins = reading(heights(fleet, 0, day, n, rng), day).bins
        watch = units.learn(watch, bins, KEY.kpi, unusual=False)
    later = [heights(fleet, 0, day, 10 * n, rng) for day in range(LEARNT, DAYS)]
    return watch, np.concatenate(later)


def wrong_unit(seed: int, flush: int, tries: int = 300) -> dict[str, float]:
    """Records in inches until a wrong unit is told, so many a flush; median, 95th percentile."""
    watch, clean = watch_of(seed)
    rng = np.random.default_rng([seed, 80])
    found = []
    for _ in range(tries):
        total, n = 0.0, 0
        while total < SURE:
            n += flush
            bins = reading(rng.choice(clean, flush) / 2.54, 0).bins
            total = max(total + strays_among(watch, bins, KEY.kpi).evidence, 0.0)
        found.append(n)
    return {"median": float(np.median(found)), "95 % within": float(np.quantile(found, 0.95))}


def false_units(seed: int, flush: int, records: int) -> int:
    """How often a wrong unit is told of so many clean heights."""
    watch, clean = watch_of(seed)
    rng = np.random.default_rng([seed, 81])
    told, total = 0, 0.0
    for _ in range(records // flush):
        bins = reading(rng.choice(clean, flush), 0).bins
        total = max(total + strays_among(watch, bins, KEY.kpi).evidence, 0.0)
        if total >= SURE:
            told, total = told + 1, 0.0
    return told


def false_losses(seed: int, records: int = 1_000_000) -> int:
    """How often a clean field of 3 % is told to lack in so many records, days of 1,000."""
    rng = np.random.default_rng([seed, 78])
    told = 0
    for _ in range(records // 1_000):
        total, seen = 0.0, 0
        for lacks in rng.random(1_000) < 0.03:
            seen += int(lacks)
            total = max(total + evidence_of_rise(0.03, int(lacks), 1), 0.0)
            if total >= SURE:
                told += 1
                break
    return told
