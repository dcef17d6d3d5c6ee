"""Unit faults: records whose value is a known factor away from the usual ones.

A whole day in inches moves the mean; one record in a hundred does not, but it lies where no
record lay before. So the values near ``usual * factor`` are counted, and their number is
tested against the largest rate that they may have had so far.

Where usual values lie there too (prices from pence to pounds), their number varies by more than
chance: the lines of one order are alike. So the test counts records by the *design effect* (Kish
1965), the variance of their number in parts of what it would be for independent records.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
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
_PRIOR_HITS = 5.0
"""Hits that the first guess of the design effect is worth."""

_INHABITED = 0.05
_CLUSTER = 30.0
"""The first guess: 1 where no usual value lies, up to this where that share of them does."""

_MOST_TOLD = 9.0
"""An unusual bucket teaches the design effect by its square deviation up to this many variances."""


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
        squares: fading squared deviations of the hits at each factor from their usual rate.
    """

    center: float = 0.0
    spread: float = 0.0
    known: float = 0.0
    hits: tuple[float, ...] = ()
    recent: _Buckets = ()
    squares: tuple[float, ...] = ()


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
        past = [sum(hits) for hits in zip(*(hits for _, hits in watch.recent), strict=True)]
        # Without any today, what went before is over.
        counts = [a + b if a else 0 for a, b in zip(counts, past, strict=True)]
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
        effect = design_effect(watch, place)
        known_hits, known = watch.hits[place] / effect, watch.known / effect
        deviation = share_deviation(count / effect, n / effect, known_hits, known, looks)
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
    """The watch after one more sketch; of an unusual one only how much the hits vary."""
    n = sum(bins.values())
    if not n:
        return watch
    faults = faults_of(kpi)
    if unusual:
        counts = counts_at(watch, bins, faults)
        squares = _squares(watch, n, counts, most=_MOST_TOLD)
        return msgspec.structs.replace(watch, squares=squares, recent=_passing(watch, n, counts))
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


def _passing(watch: UnitWatch, n: int, counts: Sequence[int]) -> _Buckets:
    """The waiting buckets after an unusual one: it waits with them, and the oldest is forgotten."""
    return (*watch.recent, (n, tuple(counts)))[-_REMEMBERED:] if n < _MANY else ()


def placed(watch: UnitWatch, center: float, spread: float) -> UnitWatch:
    """The watch around a center of the values' logarithms."""
    return msgspec.structs.replace(watch, center=center, spread=max(spread, _LEAST_SPREAD))


def _known(watch: UnitWatch, faults: int, buckets: _Buckets, waiting: _Buckets) -> UnitWatch:
    """The watch with some buckets among what is known; others wait."""
    watch = msgspec.structs.replace(watch, hits=watch.hits or (0.0,) * faults, recent=waiting)
    for n, counts in buckets:
        squares = _squares(watch, n, counts)
        watch = msgspec.structs.replace(
            watch,
            known=watch.known * _KEEP + n,
            hits=tuple(a * _KEEP + b for a, b in zip(watch.hits, counts, strict=True)),
            squares=tuple(one * _KEEP for one in squares),
        )
    return watch


def design_effect(watch: UnitWatch, place: int) -> float:
    """Variance of the hits at a factor in parts of what independent records would give, at least 1.

    >>> even = UnitWatch(known=1000.0, hits=(100.0,), squares=(90.0,))
    >>> design_effect(even, 0)
    2.28...
    >>> in_orders = UnitWatch(known=1000.0, hits=(100.0,), squares=(2000.0,))
    >>> round(design_effect(in_orders, 0))
    20
    """
    if not watch.squares or not watch.known:
        return 1.0
    inhabited = min(watch.hits[place] / watch.known / _INHABITED, 1.0)
    guess = 1 + (_CLUSTER - 1) * inhabited
    seen = watch.squares[place] + _PRIOR_HITS * guess
    return max(seen / (watch.hits[place] + _PRIOR_HITS), 1.0)


def _squares(
    watch: UnitWatch, n: int, counts: Sequence[int], most: float | None = None
) -> tuple[float, ...]:
    """The squared deviations with those of one more bucket, each up to ``most`` variances."""
    squares = watch.squares or (0.0,) * len(counts)
    if not watch.known:
        return squares
    found = []
    for place, count in enumerate(counts):
        expected = n * watch.hits[place] / watch.known
        # The usual rate is not known exactly either.
        square = (count - expected) * (count - expected) / (1 + n / watch.known)
        if most is not None:
            square = min(square, most * design_effect(watch, place) * expected)
        found.append(squares[place] + square)
    return tuple(found)


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
