"""The model of a mean: what a shop's baseline holds, and what the warm-up's readings give.

A day's mean varies for two reasons: the few records it rests on (variance of the values divided
by their number), and the shop itself, which differs from day to day however many records there
are. ``Var(mean) = between + within / n``; leaving either out gives false alarms for large shops
or for small ones.
"""

import msgspec

from streamwatch.baselines import units
from streamwatch.baselines.departure import Departure
from streamwatch.baselines.fewrecords import Day, Spread
from streamwatch.baselines.forgetting import FadingMean

_PRIOR_SHARE = 0.003
_PRIOR_READINGS = 2.0
TINY = 1e-9


class Warm(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A reading of the warm-up: mean, number of records, variance of the values."""

    value: float
    n: int
    variance: float


class MeanBaseline(msgspec.Struct, frozen=True, gc=False, tag="mean"):
    """What is normal for one mean.

    Attributes:
        center: the usual mean; its weight is the inverse of its variance.
        between: variance of the true mean from bucket to bucket.
        within: variance of the single values.
        readings: effective number of readings learned.
        history: the warm-up's readings by bucket; empty once warm.
        last_bucket: the newest bucket that was learned; -1 before the first.
        departure: a change under way that is not learned yet.
        watch: where the single values lie, to find wrong units in a few of them.
        former: what was normal before the last lasting change; see `judging`.
        few: the last readings, where each rests on few records.
    """

    center: FadingMean = FadingMean()
    between: float = 0.0
    within: float = 0.0
    readings: float = 0.0
    history: dict[int, Warm] = {}
    last_bucket: int = -1
    departure: Departure | None = None
    watch: units.UnitWatch = units.UnitWatch()
    former: "MeanBaseline | None" = None
    few: tuple[Day, ...] = ()

    @property
    def is_warm(self) -> bool:
        """Whether it can judge."""
        return self.readings > 0

    @property
    def typical(self) -> float:
        """The usual mean; 0 while warming."""
        return self.center.mean


def variance_of(baseline: MeanBaseline, n: int) -> float:
    """Variance of the mean of so many records."""
    return baseline.between + baseline.within / n


def spread_of(baseline: MeanBaseline) -> Spread:
    """How the means vary."""
    unknown = 1 / baseline.center.weight
    return Spread(baseline.between, baseline.within, unknown, baseline.readings)


def fit(history: dict[int, Warm]) -> MeanBaseline:
    """The baseline that the warm-up's readings give.

    The variance between the readings is DerSimonian and Laird's estimate (1986), drawn a
    little towards 0.3 % of the mean, since few readings often give 0 by chance.
    """
    readings = [history[bucket] for bucket in sorted(history)]
    within = _within(readings)
    weights = [r.n / within for r in readings]
    total = sum(weights)
    center = sum(w * r.value for w, r in zip(weights, readings, strict=True)) / total
    heterogeneity = sum(
        w * (r.value - center) * (r.value - center) for w, r in zip(weights, readings, strict=True)
    )
    spread = total - sum(w * w for w in weights) / total
    surplus = heterogeneity - (len(readings) - 1)
    between = max(surplus / spread, 0.0) if spread > 0 else 0.0
    prior = _PRIOR_SHARE * abs(center)
    known = len(readings)
    between = (known * between + _PRIOR_READINGS * prior * prior) / (known + _PRIOR_READINGS)
    between = max(between, TINY * max(center * center, TINY))
    result = MeanBaseline(between=between, within=within, readings=known)
    weight = 0.0
    mean = 0.0
    for r in readings:
        precision = 1 / variance_of(result, r.n)
        weight += precision
        mean += (r.value - mean) * precision / weight
    return msgspec.structs.replace(
        result, center=FadingMean(mean, weight), last_bucket=max(history)
    )


def _within(readings: list[Warm]) -> float:
    """Variance of the single values, pooled over the readings.

    Few values that were all alike (returns of one piece each) do not mean that a different
    one never comes. So it is at least what one value that differs by seven tenths of the mean
    would have given; with many values that floor vanishes.
    """
    spare = sum(r.n - 1 for r in readings)
    pooled = sum((r.n - 1) * r.variance for r in readings) / spare if spare else 0.0
    mean = sum(r.value for r in readings) / len(readings)
    if not spare:
        squares = sum((r.value - mean) * (r.value - mean) for r in readings)
        pooled = squares / max(len(readings) - 1, 1)
    return max(pooled, mean * mean / 2 / (spare + len(readings)), TINY)
