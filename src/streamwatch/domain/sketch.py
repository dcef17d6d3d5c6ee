"""A log-binned mergeable sketch in DDSketch's layout.

Bin ``i`` holds the values in ``(gamma ** (i - 1), gamma ** i]`` with
``gamma = (1 + accuracy) / (1 - accuracy)``, so that a quantile read from it is off by at most
``accuracy`` of itself (Masson, Rim, Lee: DDSketch, VLDB 2019). Values at or below zero share
one bin of their own.
"""

import math

ACCURACY = 0.01
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
LOG_GAMMA = math.log(GAMMA)
NOT_POSITIVE = -(2**31)
"""The bin of values at or below zero."""


def bin_of(value: float) -> int:
    """The bin of a finite value.

    >>> abs(value_of(bin_of(172.0)) / 172.0 - 1) <= ACCURACY
    True
    """
    return math.ceil(math.log(value) / LOG_GAMMA) if value > 0 else NOT_POSITIVE


def value_of(index: int) -> float:
    """The value that stands for a bin; 0 for `NOT_POSITIVE`."""
    return 0.0 if index == NOT_POSITIVE else 2 * GAMMA**index / (GAMMA + 1)


def quantile(bins: dict[int, int], q: float) -> float:
    """The q-quantile, 0 ≤ q ≤ 1, within `ACCURACY`; NaN for an empty sketch.

    >>> median = quantile({bin_of(v): 1 for v in (150.0, 160.0, 170.0)}, 0.5)
    >>> abs(median / 160 - 1) <= ACCURACY
    True
    """
    total = sum(bins.values())
    rank = q * (total - 1)
    seen = 0
    for index in sorted(bins):
        seen += bins[index]
        if seen > rank:
            return value_of(index)
    return math.nan
