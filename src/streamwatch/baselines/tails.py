"""How surprising a number is, as a signed deviation in standard deviations of a normal.

The one file that uses SciPy; everything here takes and gives plain floats. SciPy's functions are
called one number at a time, for which those made for Cython take a fifth of the ufuncs' time; they
take floats only, no integers.
"""

import math
from functools import cache

from scipy.special import cython_special as special  # type: ignore[import-untyped]

FARTHEST = 37.0
"""The largest deviation that is told; farther out the tail is no longer a float."""

LARGEST = 1e12
"""The largest number that may enter a baseline."""

_LEAST_TAIL = 1e-300
_NEARLY_NORMAL = 20.0


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
    # Only the nearer tail is small; the other is its complement.
    if count <= mean:
        below = (_at_most(count, size, share) + _at_most(count - 1, size, share)) / 2
        above = 1.0 - below
    else:
        above = (_more_than(count, size, share) + _more_than(count - 1, size, share)) / 2
        below = 1.0 - above
    if closed:
        below = closed * (1.0 if count > 0 else 0.5) + (1 - closed) * below
        above = closed * (0.0 if count > 0 else 0.5) + (1 - closed) * above
    return _signed(below, above)


def count_band(mean: float, overdispersion: float, deviation: float) -> tuple[float, float]:
    """About the counts between which a reading deviates by less than ``deviation``.

    Taken from the gamma distribution of the same mean and variance, which is exact for large
    counts and within one event or two for small ones; the verdict itself does not use it.

    >>> low, high = count_band(100.0, 0.01, 4.5)
    >>> round(low), round(high)
    (48, 178)
    """
    variance = mean + overdispersion * mean * mean
    shape, scale = mean * mean / variance, variance / mean
    if shape >= _NEARLY_NORMAL:
        # Wilson and Hilferty's cube (1931), within a percent, at a tenth of the cost.
        ninth = 1 / (9 * shape)
        reach = deviation * math.sqrt(ninth)
        low = max(mean * (1 - ninth - reach) ** 3 - 0.5, 0.0)
        return low, mean * (1 - ninth + reach) ** 3 + 0.5
    tail = _tail(deviation)
    low = max(float(special.gammaincinv(shape, tail)) * scale - 0.5, 0.0)
    return low, max(float(special.gammainccinv(shape, tail)) * scale + 0.5, mean)


def student_deviation(ratio: float, freedom: float) -> float:
    """The deviation of a Student ratio with so many degrees of freedom.

    >>> round(student_deviation(4.5, 13), 2), round(student_deviation(-4.5, 1e6), 2)
    (3.43, -4.5)
    """
    tail = float(special.stdtr(float(freedom), -abs(ratio)))
    return _signed(tail, 1 - tail) if ratio < 0 else _signed(1 - tail, tail)


def student_ratio(deviation: float, freedom: float) -> float:
    """The inverse of `student_deviation` for a positive deviation."""
    return -float(special.stdtrit(float(freedom), _tail(deviation)))


def _at_most(count: float, size: float, share: float) -> float:
    """P(Y ≤ count), continued between the whole numbers."""
    return float(special.betainc(size, count + 1.0, share)) if count > -1 else 0.0


def _more_than(count: float, size: float, share: float) -> float:
    """P(Y > count), accurate far out."""
    return float(special.betainc(count + 1.0, size, 1 - share)) if count > -1 else 1.0


@cache
def _tail(deviation: float) -> float:
    """The tail of a normal; few different thresholds are ever asked for."""
    return max(float(special.ndtr(-float(deviation))), _LEAST_TAIL)


def _signed(below: float, above: float) -> float:
    if below < above:
        return max(float(special.ndtri(max(below, _LEAST_TAIL))), -FARTHEST)
    return min(-float(special.ndtri(max(above, _LEAST_TAIL))), FARTHEST)


def is_sound(value: float) -> bool:
    """Whether a number may enter a baseline: finite, and its square far from overflow."""
    return math.isfinite(value) and abs(value) <= LARGEST


def chi_square_deviation(square: float, freedom: int) -> float:
    """The deviation whose upper tail is that of chi-square with so many degrees of freedom.

    >>> round(chi_square_deviation(3.84, 1), 2), round(chi_square_deviation(100.0, 4), 1)
    (1.64, 9.3)
    """
    above = float(special.chdtrc(float(freedom), max(square, 0.0)))
    return _signed(1.0 - above, above)


def share_deviation(hits: float, n: float, known_hits: float, known: float, looks: int) -> float:
    """The deviation of ``hits`` of ``n`` from what the rate can at most be, 95 % sure.

    Args:
        hits: records that were hit.
        n: records seen.
        known_hits: records that were hit before.
        known: records seen before.
        looks: how many such tests are made at once.

    >>> round(share_deviation(5, 500, 0.0, 14_000.0, 6), 1)
    5.3
    """
    upper = float(special.betaincinv(known_hits + 0.5, max(known - known_hits, 0.0) + 0.5, 0.95))
    above = min(looks * float(special.betainc(float(hits), n - hits + 1.0, upper)), 0.5)
    return _signed(1.0, above)


def deviation_of(tail: float) -> float:
    """The deviation whose upper tail is this probability.

    >>> round(deviation_of(0.00135), 2)
    3.0
    """
    return _signed(1.0, tail)
