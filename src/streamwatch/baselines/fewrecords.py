"""Few records a day: several days of a mean together show what no single one can.

The mean of three records has heavy tails, so that even inches for centimetres stay within
chance. Of three or seven such days together the mean rests on enough records.
"""

import math

import msgspec

from streamwatch.baselines.tails import student_deviation

_WINDOWS = (3, 7)
_LONGEST = 7
_LOOKS = 2 * math.log(3)
_STILL_DEPARTS = 1.0


class Day(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A reading of few records: its distance from the expected mean, and their number."""

    difference: float
    n: int


class Spread(msgspec.Struct, frozen=True, gc=False):
    """How means vary.

    Attributes:
        between, within: variance from bucket to bucket, and of the single values.
        unknown: variance of what was expected.
        readings: effective number of readings that this is known from.
    """

    between: float
    within: float
    unknown: float
    readings: float

    @property
    def hides(self) -> float:
        """Records below which chance moves a day's mean more than the shop does."""
        return self.within / max(self.between, 1e-12)


def together(past: tuple[Day, ...], now: Day, deviation: float, spread: Spread) -> float:
    """The stronger deviation: of the reading itself, or of the window that ends with it.

    >>> spread = Spread(between=0.1, within=100.0, unknown=0.5, readings=28.0)
    >>> round(together((Day(-100.0, 3), Day(-98.0, 2)), Day(-101.0, 3), -4.0, spread), 1)
    -6.3
    >>> together((Day(-100.0, 3), Day(-98.0, 2)), Day(-11.0, 3), -1.5, spread)  # over already
    -1.5
    """
    if abs(deviation) < _STILL_DEPARTS:
        return deviation
    strongest = deviation
    for width in _WINDOWS:
        # A window that is not full yet counts too, since what departs is dropped when it is told.
        days = (*past[1 - width :], now)
        records = sum(day.n for day in days)
        mean = sum(day.n * day.difference for day in days) / records
        if abs(now.difference) < abs(mean) / 2:
            continue  # what went before is over
        squares = sum(day.n * day.n for day in days) / records / records
        error = math.sqrt(spread.between * squares + spread.within / records + spread.unknown)
        freedom = max(min(spread.readings - 1, records + 2.0), 3.0)
        joint = student_deviation(mean / error, freedom)
        squared = joint * joint - _LOOKS
        if squared > strongest * strongest and joint * deviation > 0:
            strongest = math.copysign(math.sqrt(squared), joint)
    return strongest


def extended(past: tuple[Day, ...], now: Day, spread: Spread) -> tuple[Day, ...]:
    """The days before the next one; none where a day's records are enough by themselves."""
    if now.n > spread.hides:
        return ()
    return (*past, now)[1 - _LONGEST :]
