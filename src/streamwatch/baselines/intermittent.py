"""Intermittent shops: most days are empty, then an order of many lines comes.

The mean of such a volume says little: no day ever holds it. Croston (1972) forecasts such a demand
as two numbers: how often something comes, and how much when it does; Teunter, Syntetos and
Babai (2011) let the first fade on empty days too. So a bucket is predicted as empty with one
probability, and as negative binomial around the usual *size* otherwise. Demand counts as
intermittent from a mean interval of 1.32 buckets on (Syntetos, Boylan and Croston 2005); up to two
weekdays of rest are no part of it.
"""

from collections.abc import Sequence

from streamwatch.baselines.season import Season

SIZE_WOBBLE = 1.0
"""Relative variance of sizes until it is known: that of an exponential, which of all with
their mean says least."""

LEAST_BUSY = 2
"""Buckets that held something, before it is known how much they hold."""

LONGEST_WARMUP = 56
"""Buckets among which so many must have come."""

_EMPTY_FROM = 1 - 1 / 1.32
_EMPTY_UNTIL = _EMPTY_FROM / 2
_RESTS = 2
"""Weekdays of rest that a regular shop may have."""

_PRIOR_BUCKETS = 3.0


def is_intermittent(weekdays: Season, *, so_far: bool) -> bool:
    """Whether many buckets are empty, apart from two weekdays of rest.

    Args:
        weekdays: what is known of each weekday.
        so_far: whether the shop was intermittent; then it takes fewer empty ones to stay so.
    """
    readings, empty = _busiest(weekdays)
    return bool(readings) and empty >= (_EMPTY_UNTIL if so_far else _EMPTY_FROM) * readings


def _busiest(weekdays: Season) -> tuple[float, float]:
    """Readings of the weekdays that are no days of rest, and how many of them were empty."""
    slots = sorted(weekdays, key=lambda slot: slot.zeros / (slot.ratio.weight or 1.0))
    working = slots[: len(slots) - _RESTS]
    return sum(one.ratio.weight for one in working), sum(one.zeros for one in working)


def empty_probability(weekdays: Season, place: int) -> float:
    """Probability that a weekday is empty, drawn towards what all weekdays have."""
    readings = sum(one.ratio.weight for one in weekdays)
    empty = sum(one.zeros for one in weekdays)
    overall = (empty + 0.5) / (readings + 1.0)
    slot = weekdays[place]
    return (slot.zeros + _PRIOR_BUCKETS * overall) / (slot.ratio.weight + _PRIOR_BUCKETS)


def empty_share(weekdays: Season) -> float:
    """Share of the buckets that are empty."""
    readings = sum(one.ratio.weight for one in weekdays)
    return sum(one.zeros for one in weekdays) / readings if readings else 0.0


def size_wobble(sizes: Sequence[float], mean: float) -> float:
    """Relative variance of the sizes beyond counting noise, drawn towards the exponential's."""
    excess = sum(((one - mean) * (one - mean) - mean) / (mean * mean) for one in sizes)
    return max((2 * SIZE_WOBBLE + excess) / (len(sizes) + 1), SIZE_WOBBLE / 4)


def joint_wobble(wobble: float, empty: float) -> float:
    """Relative variance of a bucket whose size wobbles and that is often empty.

    >>> joint_wobble(1.0, 0.0), round(joint_wobble(1.0, 0.8), 1)
    (1.0, 9.0)
    """
    return (wobble + empty) / (1 - empty)
