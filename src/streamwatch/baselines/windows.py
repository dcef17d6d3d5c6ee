"""Several buckets together: what no single one shows, three or seven or a slow drift do.

``Z_w = sum(z) / sqrt(w * (1 + kinship * (w - 1)))`` over the last w deviations, and Page's
CUSUM with reference 0.5, whose stationary tail is about ``exp(-S)`` (Siegmund 1985). Looking
in four ways costs ``2 ln 4`` of the squared deviation.
"""

import math

import msgspec

from streamwatch.baselines.tails import count_deviation

LONGEST = 7
_WINDOWS = (3, 7)
_CLIP = 4.0
_REFERENCE = 0.5
_MOST_DRIFT = 20.0
_LOOKS = 2 * math.log(4)
_FEW = 100.0
"""Events in a window below which their sum is judged: few events' deviations are not normal."""

_SHARED = 2.0
_ECHO = 1.2
"""A bucket that is nearer to its normal ends every window: what went before is told already."""


class Past(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A bucket that was judged: its deviation, what was counted and what was expected."""

    bucket: int
    deviation: float
    value: float
    expected: float


class Run(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The last buckets of a KPI, oldest first, and the CUSUM of both sides."""

    past: tuple[Past, ...] = ()
    low: float = 0.0
    high: float = 0.0


class Spreads(msgspec.Struct, frozen=True, gc=False):
    """How the buckets of a window vary beyond counting noise.

    Attributes:
        own: relative variance of each by itself.
        shared: relative variance that all share: the expectation is not known exactly, and the
            hours of a day have a good or a bad day in common.
        kinship: correlation between the own deviations of neighbouring buckets.
        sums_only: windows are judged by their sums only, and there is no drift: where much is
            shared, deviations that agree are no more evidence than one of them.
    """

    own: float
    shared: float
    kinship: float
    sums_only: bool = False


class Joint(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The strongest evidence: signed deviation, over how many buckets, counted and expected."""

    deviation: float
    buckets: int
    value: float
    expected: float


def together(run: Run, now: Past, spreads: Spreads) -> Joint:
    """The strongest of the bucket itself, the windows that end with it, and the drift."""
    best = Joint(now.deviation, 1, now.value, now.expected)
    if abs(now.deviation) < _ECHO or not run.past:
        return best
    clipped = _clipped(now.deviation)
    for width in _WINDOWS:
        if len(run.past) < width - 1:
            break
        past = run.past[1 - width :]
        if not _is_shared([*(one.deviation for one in past), clipped], clipped):
            continue
        spread = width * (1 + spreads.kinship * (width - 1))
        value = now.value + sum(one.value for one in past)
        expected = now.expected + sum(one.expected for one in past)
        if expected < _FEW or spreads.sums_only:
            own = spreads.own * spread / width / width
            joint = count_deviation(value, expected, own + spreads.shared)
        else:
            total = clipped + sum(one.deviation for one in past)
            joint = total / math.sqrt(spread)
        strength = _after_looks(joint)
        if abs(strength) > abs(best.deviation) and strength * now.deviation > 0:
            best = Joint(strength, width, value, expected)
    if spreads.sums_only:
        return best
    drift = run.high + clipped if clipped > 0 else run.low - clipped
    strength = _drift_strength(drift - _REFERENCE)
    if strength > abs(best.deviation):
        past = run.past
        value = now.value + sum(one.value for one in past)
        expected = now.expected + sum(one.expected for one in past)
        best = Joint(math.copysign(strength, clipped), len(past) + 1, value, expected)
    return best


def extended(run: Run, now: Past) -> Run:
    """The run with one more bucket."""
    clipped = _clipped(now.deviation)
    kept = msgspec.structs.replace(now, deviation=clipped)
    return Run(
        (*run.past, kept)[1 - LONGEST :],
        min(max(run.low - clipped - _REFERENCE, 0.0), _MOST_DRIFT),
        min(max(run.high + clipped - _REFERENCE, 0.0), _MOST_DRIFT),
    )


def _is_shared(deviations: list[float], now: float) -> bool:
    """Whether a window speaks also without its strongest bucket, which is told already."""
    sign = math.copysign(1.0, now)
    signed = [sign * one for one in deviations]
    rest = sum(signed) - max(signed)
    return rest >= _SHARED * math.sqrt(len(signed) - 1)


def _after_looks(deviation: float) -> float:
    squared = deviation * deviation - _LOOKS
    return math.copysign(math.sqrt(squared), deviation) if squared > 0 else 0.0


def _drift_strength(drift: float) -> float:
    """The normal deviation whose tail is ``exp(-drift)``, roughly; 0 for a small one."""
    squared = 2 * drift - math.log(4 * math.pi * max(drift, 1.0)) - _LOOKS
    return math.sqrt(squared) if squared > 0 else 0.0


def _clipped(deviation: float) -> float:
    return min(max(deviation, -_CLIP), _CLIP)
