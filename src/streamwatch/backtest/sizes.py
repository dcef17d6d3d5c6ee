"""Size classes of shops, and shares that may lack."""

import math
from itertools import pairwise

SIZES = (0, 10, 100, 1_000, 10_000, math.inf)
"""Events a day at which a shop belongs to the next size class."""


def size_class(events_a_day: float) -> str:
    """The size class of a shop.

    >>> size_class(3.2), size_class(250_000)
    ('below 10 a day', '10,000 a day and more')
    """
    for low, high in pairwise(SIZES):
        if events_a_day < high:
            if low == 0:
                return f"below {high:,} a day"
            if high == math.inf:
                return f"{low:,} a day and more"
            return f"{low:,} to {high:,} a day"
    return "unknown"


def order(name: str) -> tuple[float, str]:
    """Size classes by size, all else by name."""
    for place, (low, _) in enumerate(pairwise(SIZES)):
        if name == size_class(low):
            return place, name
    return 0.0, name


def share(part: float, whole: float) -> float | None:
    """The share, or ``None`` of nothing."""
    return part / whole if whole else None
