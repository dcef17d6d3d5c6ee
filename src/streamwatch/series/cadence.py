"""In which steps a series comes, told from the rows seen so far."""

import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from streamwatch.domain.cells import DAY_MS, HOUR_MS
from streamwatch.series.points import Kind

OPENING_ROWS = 16
"""Rows from which step and kind are told."""

_TOLERANCE = 0.1


class Cadence(msgspec.Struct, frozen=True):
    """How a series comes.

    Attributes:
        step: milliseconds between rows, usually.
        bucket: ``day`` or ``hour`` where a row is the sum of one, else ``None``.
        kind: counts or values.
    """

    step: int
    bucket: Literal["day", "hour"] | None
    kind: Kind

    def rows(self, days: float, least: float) -> float:
        """How many rows come in so many days, but ``least`` at least."""
        return max(days * DAY_MS / self.step, least)


def cadence_of(times: Sequence[int], values: Sequence[float], kind: Kind | None) -> Cadence:
    """The cadence that the first rows show; ``kind`` overrules what the values look like.

    >>> hours = [hour * HOUR_MS for hour in range(16)]
    >>> cadence_of(hours, [3.0] * 16, None)
    Cadence(step=3600000, bucket='hour', kind='count')
    """
    gaps = [later - earlier for earlier, later in pairwise(times)]
    step = max(round(statistics.median(gaps)), 1)
    whole = all(value >= 0 and value == int(value) for value in values)
    found: Kind = kind or ("count" if whole else "value")
    bucket: Literal["day", "hour"] | None = None
    if found == "count":
        if abs(step - DAY_MS) <= _TOLERANCE * DAY_MS:
            bucket = "day"
        elif abs(step - HOUR_MS) <= _TOLERANCE * HOUR_MS:
            bucket = "hour"
    return Cadence(step, bucket, found)
