"""A row of a series, and what is said of it."""

import math
from typing import Literal

import msgspec

from streamwatch.domain.verdicts import State

Kind = Literal["count", "value"]
"""Counts are of something that happened in the row's span: whole and not below 0."""


class Judged(msgspec.Struct, frozen=True):
    """What is said of a row.

    Attributes:
        state: ``warming`` while too little is known, ``skipped`` for a row that is no reading.
        score: how surprising the row is, 0 to 1; from 0.5 on it is unusual. ``None`` without
            a verdict.
        expected, lower, upper: the band, in the value's unit; ``None`` without a verdict.
        reason: in words for a person; empty for a usual row.
    """

    state: State | Literal["skipped"]
    score: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str = ""


class Sensitivity(msgspec.Struct, frozen=True):
    """How little is enough to be unusual.

    Attributes:
        threshold: standard deviations that a departure must have.
        beyond: by how much (as a logarithm) it must pass the largest of the recent ones.
    """

    threshold: float
    beyond: float


DEVIATIONS = 4.5
BEYOND = 0.13


def sensitivity(factor: float) -> Sensitivity:
    """The limits at a sensitivity of 1, or for one that is ``factor`` times as sensitive.

    >>> sensitivity(1.0)
    Sensitivity(threshold=4.5, beyond=0.13)
    """
    return Sensitivity(DEVIATIONS / factor, BEYOND / factor)


STEEPNESS = 3.0


def to_score(surprise: float) -> float:
    """A surprise, 0 at the limit, as a score between 0 and 1.

    >>> to_score(0.0), round(to_score(1.0), 2), to_score(-100.0) < 1e-9
    (0.5, 0.95, True)
    """
    return 1 / (1 + math.exp(-STEEPNESS * max(min(surprise, 10.0), -10.0)))
