"""Strays: single values a wrong unit away, as evidence that such a fault has just begun."""

import math
from functools import cache

import msgspec

from streamwatch.baselines.evidence import evidence_of_rise
from streamwatch.baselines.units import (
    LEAST_KNOWN,
    UnitFault,
    UnitWatch,
    counts_at,
    design_effect,
    faults_of,
)
from streamwatch.domain.sketch import LOG_GAMMA

_LEAST_RATE = 0.02
"""Rate that is taken for usual at least: one shopper who types inches a few times is no fault."""


class Strays(msgspec.Struct, frozen=True):
    """The values that lie at the factor of any unit fault.

    Attributes:
        hits: how many.
        evidence: that there are far more than usual, see `baselines.evidence`.
        fault: at whose factor most of them lie; ``None`` if there are none.
    """

    hits: int = 0
    evidence: float = 0.0
    fault: UnitFault | None = None


def strays_among(watch: UnitWatch, bins: dict[int, int], kpi: str) -> Strays:
    """The strays among the values of a sketch; none while too few usual values are known.

    The usual rate is taken with two hits and two misses more than were seen, so that little
    knowledge is not taken for a low rate (Agresti, Coull 1998).
    """
    if watch.known < LEAST_KNOWN:
        return Strays()
    n, faults = sum(bins.values()), faults_of(kpi)
    known = min(sum(watch.hits), watch.known)
    rate = max((known + 2) / (watch.known + 4), _LEAST_RATE)
    if _all_near(watch, bins, faults):
        return Strays(evidence=evidence_of_rise(rate, 0, n))
    counts = counts_at(watch, bins, faults)
    hits, most = min(sum(counts), n), max(counts)
    place = counts.index(most)
    evidence = evidence_of_rise(rate, hits, n) / design_effect(watch, place)
    return Strays(hits, evidence, faults[place] if most else None)


def _all_near(watch: UnitWatch, bins: dict[int, int], faults: tuple[UnitFault, ...]) -> bool:
    """Whether all values lie nearer to the usual than to any factor."""
    reach = _nearest(faults) / 2
    low, high = watch.center - reach, watch.center + reach
    return not bins or low < min(bins) * LOG_GAMMA <= max(bins) * LOG_GAMMA < high


@cache
def _nearest(faults: tuple[UnitFault, ...]) -> float:
    return min(abs(math.log(fault.factor)) for fault in faults)
