"""Unit faults: records whose value is a known factor away from the usual ones.

A whole day in inches moves the mean; one record in a hundred does not, but it lies where no
record lay before. So the values near ``usual * factor`` are counted, and their number is
tested against the largest rate that they may have had so far.
"""

import math
from bisect import bisect_left, bisect_right
from itertools import accumulate

import msgspec

from streamwatch.baselines.tails import share_deviation
from streamwatch.domain.sketch import LOG_GAMMA, NOT_POSITIVE

LEAST_HITS = 3
NAMED_FROM = 4.0
"""Deviation from which a unit fault is named."""

_KEEP = 1 - 1 / 28
_REACH = 3.0
_LEAST_SPREAD = 0.02
LEAST_KNOWN = 50.0
_GAIN = 0.1
_LEAST_FOR_SPREAD = 20
_MANY = 100
"""Records of a bucket from which it is judged by itself only."""

_REMEMBERED = 6


class UnitFault(msgspec.Struct, frozen=True, array_like=True):
    """A factor and what it means."""

    factor: float
    meaning: str


_TENS = (
    UnitFault(10.0, "ten times too large"),
    UnitFault(0.1, "ten times too small"),
    UnitFault(100.0, "a hundred times too large"),
    UnitFault(0.01, "a hundred times too small"),
)
_OF_FEATURE: dict[str, tuple[UnitFault, ...]] = {
    "height": (
        UnitFault(1 / 2.54, "inches given as centimetres"),
        UnitFault(2.54, "centimetres converted as if they were inches"),
        UnitFault(1 / 30.48, "feet given as centimetres"),
        UnitFault(0.01, "metres given as centimetres"),
        UnitFault(10.0, "millimetres given as centimetres"),
        UnitFault(0.1, "ten times too small"),
    ),
    "weight": (
        UnitFault(2.2046, "pounds given as kilograms"),
        UnitFault(1 / 2.2046, "kilograms converted as if they were pounds"),
        UnitFault(1000.0, "grams given as kilograms"),
        UnitFault(1 / 6.35029, "stone given as kilograms"),
        UnitFault(10.0, "ten times too large"),
        UnitFault(0.1, "ten times too small"),
    ),
}


_Buckets = tuple[tuple[int, tuple[int, ...]], ...]
"""Records of a bucket, and how many of them lay at each factor."""


class UnitWatch(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where the values of a feature lie, and how many lay at each factor from there.

    Attributes:
        center, spread: median and half the middle 68 % of the values' logarithms.
        known: fading number of values seen.
        hits: of those, how many lay at each factor.
        recent: the last buckets of few records, not among the known yet: records, and hits.
    """

    center: float = 0.0
    spread: float = 0.0
    known: float = 0.0
    hits: tuple[float, ...] = ()
    recent: _Buckets = ()


class Named(msgspec.Struct, frozen=True):
    """A unit fault that was found: how many of how many records, and how sure it is."""

    fault: UnitFault
    hits: int
    n: int
    deviation: float

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.hits} of {self.n} records look like {self.fault.meaning}"


def faults_of(kpi: str) -> tuple[UnitFault, ...]:
    """The unit faults of a mean's feature."""
    return _OF_FEATURE.get(kpi.removeprefix("mean."), _TENS)


def find(watch: UnitWatch, bins: dict[int, int], kpi: str) -> Named | None:
    """The unit fault that the values of a sketch show most clearly, if any does."""
    if watch.known < LEAST_KNOWN or not bins:
        return None
    faults = faults_of(kpi)
    counts = counts_at(watch, bins, faults)
    n = sum(bins.values())
    best = _clearest(watch, faults, n, counts)
    if best is None and watch.recent and any(counts):
        n += sum(records for records, _ in watch.recent)
        for _, hits in watch.recent:
            counts = [a + b for a, b in zip(counts, hits, strict=True)]
        best = _clearest(watch, faults, n, counts)
    return best


def _clearest(
    watch: UnitWatch, faults: tuple[UnitFault, ...], n: int, counts: list[int]
) -> Named | None:
    best: Named | None = None
    looks = len(faults) * (2 if watch.recent else 1)
    for place, count in enumerate(counts):
        if count < LEAST_HITS:
            continue
        deviation = share_deviation(count, n, watch.hits[place], watch.known, looks)
        if deviation >= NAMED_FROM and (best is None or count > best.hits):
            best = Named(faults[place], count, n, deviation)
    return best


def of_whole(mean: float, usual: float, error: float, kpi: str) -> UnitFault | None:
    """The unit fault that a mean of all records would show, within three errors."""
    if mean <= 0 or usual <= 0:
        return None
    shift = math.log(mean / usual)
    for fault in faults_of(kpi):
        reach = min(_REACH * error / usual + 0.01, 0.2)
        if abs(shift - math.log(fault.factor)) < reach:
            return fault
    return None


def learn(watch: UnitWatch, bins: dict[int, int], kpi: str, *, unusual: bool) -> UnitWatch:
    """The watch after one more sketch; nothing is learned from an unusual one."""
    n = sum(bins.values())
    if unusual or not n:
        return watch
    faults = faults_of(kpi)
    center, spread = watch.center, watch.spread
    if n >= _LEAST_FOR_SPREAD:
        seen_center, seen_spread = _middle(bins, n)
        gain = _GAIN if watch.known else 1.0
        center += gain * (seen_center - center)
        spread += gain * (seen_spread - spread)
    if not spread:
        return watch
    moved = placed(watch, center, spread)
    buckets = (*moved.recent, (n, tuple(counts_at(moved, bins, faults))))
    waiting = buckets[-_REMEMBERED:] if n < _MANY else ()
    return _known(moved, len(faults), buckets[: len(buckets) - len(waiting)], waiting)


def placed(watch: UnitWatch, center: float, spread: float) -> UnitWatch:
    """The watch around a center of the values' logarithms."""
    return msgspec.structs.replace(watch, center=center, spread=max(spread, _LEAST_SPREAD))


def _known(watch: UnitWatch, faults: int, buckets: _Buckets, waiting: _Buckets) -> UnitWatch:
    """The watch with some buckets among what is known; others wait."""
    known, hits = watch.known, watch.hits or (0.0,) * faults
    for n, counts in buckets:
        known = known * _KEEP + n
        hits = tuple(a * _KEEP + b for a, b in zip(hits, counts, strict=True))
    return msgspec.structs.replace(watch, known=known, hits=hits, recent=waiting)


def counts_at(watch: UnitWatch, bins: dict[int, int], faults: tuple[UnitFault, ...]) -> list[int]:
    """How many values lie at each factor, nearer to it than to the usual."""
    indices = sorted(bins)
    sums = [0, *accumulate(bins[index] for index in indices)]
    found = []
    for fault in faults:
        shift = math.log(fault.factor)
        low = watch.center + shift - _REACH * watch.spread
        high = watch.center + shift + _REACH * watch.spread
        if shift < 0:
            high = min(high, watch.center + shift / 2)
        else:
            low = max(low, watch.center + shift / 2)
        first = bisect_left(indices, math.ceil(low / LOG_GAMMA))
        last = bisect_right(indices, math.floor(high / LOG_GAMMA))
        found.append(max(sums[last] - sums[first], 0))
    return found


def _middle(bins: dict[int, int], n: int) -> tuple[float, float]:
    """Median and half the middle 68 % of the logarithms."""
    indices = sorted(index for index in bins if index != NOT_POSITIVE)
    if not indices:
        return 0.0, 0.0
    sums = list(accumulate(bins[index] for index in indices))
    total = sums[-1] if sums else n
    low, middle, high = (
        indices[min(bisect_left(sums, share * total), len(indices) - 1)] * LOG_GAMMA
        for share in (0.16, 0.5, 0.84)
    )
    return middle, max((high - low) / 2, _LEAST_SPREAD)
