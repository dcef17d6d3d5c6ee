"""How surprising a number is, as a signed deviation in standard deviations of a normal.

The one file that uses SciPy; everything here takes and gives plain floats.
"""

import math
from collections.abc import Callable

from scipy import special  # type: ignore[import-untyped]

FARTHEST = 37.0
"""The largest deviation that is told; farther out the tail is no longer a float."""

LARGEST = 1e12
"""The largest number that may enter a baseline."""

_LEAST_TAIL = 1e-300
_MOST_STEPS = 6
_CLOSE_ENOUGH = 0.02


def count_deviation(count: float, mean: float, overdispersion: float, closed: float = 0.0) -> float:
    """The deviation of a count from its prediction, by the mid-p value of its nearer tail.

    The prediction is negative binomial with variance ``mean + overdispersion * mean²``; with
    probability ``closed`` it is zero instead (a weekday on which the shop rests).

    >>> round(count_deviation(0, 3.0, 0.05), 1), round(count_deviation(0, 300.0, 0.01), 1)
    (-1.9, -16.5)
    >>> count_deviation(0, 300.0, 0.01, closed=0.8) > -1
    True
    """
    size = 1.0 / overdispersion
    share = size / (size + mean)
    below = (_at_most(count, size, share) + _at_most(count - 1, size, share)) / 2
    above = (_more_than(count, size, share) + _more_than(count - 1, size, share)) / 2
    if closed:
        below = closed * (1.0 if count > 0 else 0.5) + (1 - closed) * below
        above = (1 - closed) * above
    return _signed(below, above)


def count_band(mean: float, overdispersion: float, deviation: float) -> tuple[float, float]:
    """The counts between which a reading deviates by less than ``deviation``.

    >>> low, high = count_band(100.0, 0.01, 4.5)
    >>> round(low), round(high)
    (46, 173)
    """
    size = 1.0 / overdispersion
    share = size / (size + mean)

    def below(count: float) -> float:
        tail = (_at_most(count, size, share) + _at_most(count - 1, size, share)) / 2
        return float(special.ndtri(max(tail, _LEAST_TAIL)))

    def above(count: float) -> float:
        tail = (_more_than(count, size, share) + _more_than(count - 1, size, share)) / 2
        return -float(special.ndtri(max(tail, _LEAST_TAIL)))

    # A gamma distribution of the same mean and variance gives the first guess.
    variance = mean + overdispersion * mean * mean
    tail = max(_normal_tail(deviation), _LEAST_TAIL)
    shape, scale = mean * mean / variance, variance / mean
    low = 0.0
    if below(0.0) <= -deviation:
        low = _solve(below, max(float(special.gammaincinv(shape, tail)) * scale, 0.5), -deviation)
    high = _solve(above, float(special.gammainccinv(shape, tail)) * scale, deviation)
    return low, max(high, mean)


def student_deviation(ratio: float, freedom: float) -> float:
    """The deviation of a Student ratio with so many degrees of freedom.

    >>> round(student_deviation(4.5, 13), 2), round(student_deviation(-4.5, 1e6), 2)
    (3.43, -4.5)
    """
    tail = float(special.stdtr(freedom, -abs(ratio)))
    return _signed(tail, 1 - tail) if ratio < 0 else _signed(1 - tail, tail)


def student_ratio(deviation: float, freedom: float) -> float:
    """The inverse of `student_deviation` for a positive deviation."""
    return -float(special.stdtrit(freedom, max(_normal_tail(deviation), _LEAST_TAIL)))


def _solve(deviation_of: Callable[[float], float], start: float, wanted: float) -> float:
    """The count that deviates by ``wanted``, by the secant method from ``start``."""
    last, count = start, start * 1.01 + 0.1
    at_last = deviation_of(last)
    for _ in range(_MOST_STEPS):
        here = deviation_of(count)
        slope = (here - at_last) / (count - last) if count != last else 0.0
        if abs(here - wanted) < _CLOSE_ENOUGH or slope <= 0:
            break
        last, at_last = count, here
        count = min(max(count - (here - wanted) / slope, count / 3), count * 3)
    return count


def _at_most(count: float, size: float, share: float) -> float:
    """P(Y ≤ count), continued between the whole numbers."""
    return float(special.betainc(size, count + 1, share)) if count > -1 else 0.0


def _more_than(count: float, size: float, share: float) -> float:
    """P(Y > count), accurate far out."""
    return float(special.betainc(count + 1, size, 1 - share)) if count > -1 else 1.0


def _normal_tail(deviation: float) -> float:
    return float(special.ndtr(-deviation))


def _signed(below: float, above: float) -> float:
    if below < above:
        return max(float(special.ndtri(max(below, _LEAST_TAIL))), -FARTHEST)
    return min(-float(special.ndtri(max(above, _LEAST_TAIL))), FARTHEST)


def is_sound(value: float) -> bool:
    """Whether a number may enter a baseline: finite, and its square far from overflow."""
    return math.isfinite(value) and abs(value) <= LARGEST
