"""Habits: what departs at the same hour of the week again and again is usual there.

A shop that trades until eight on Thursdays, or sells thrice on its sale's Tuesday, has no season of
hours times weekdays that holds it, and what is unusual is not learned. So a departure is noted with
its place in the week, and from the fourth time on in a row of weeks its count may also be what it
was then. An outage is no habit.
"""

import msgspec

from streamwatch.domain.cells import DAY_MS

LEAST_TIMES = 3
SPREAD = 0.3
"""Relative variance of a habit's count."""

_ALIKE = 3.0
_FORGOTTEN_MS = 22 * DAY_MS
_MOST = 24
_GAIN = 0.3


class Habit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A departure that was seen in one place of the week.

    Attributes:
        slot: the place: weekday, or hour of the week.
        times: how often in a row of weeks.
        ratio: what was counted, in parts of the level.
        bucket: when it was seen last.
    """

    slot: int
    times: int
    ratio: float
    bucket: int


Habits = tuple[Habit, ...]


def habit_at(habits: Habits, slot: int, bucket: int) -> Habit | None:
    """What is usual in a place of the week beside its season; ``None`` for nothing."""
    for one in habits:
        if one.slot == slot and one.times >= LEAST_TIMES and bucket - one.bucket <= _FORGOTTEN_MS:
            return one
    return None


def noted(habits: Habits, slot: int, bucket: int, ratio: float) -> Habits:
    """The habits after a departure, or after one that had become usual.

    >>> first = noted((), 3, 0, 2.0)
    >>> again = noted(first, 3, 7 * DAY_MS, 2.2)
    >>> [(one.times, round(one.ratio, 2)) for one in again]
    [(2, 2.06)]
    >>> noted(again, 3, 14 * DAY_MS, 9.0)[0].times
    1
    """
    kept = [one for one in habits if bucket - one.bucket <= _FORGOTTEN_MS]
    known = next((one for one in kept if one.slot == slot), None)
    fresh = Habit(slot, 1, ratio, bucket)
    if known is not None:
        kept.remove(known)
        if 1 / _ALIKE < ratio / known.ratio < _ALIKE:
            mean = known.ratio + _GAIN * (ratio - known.ratio)
            fresh = Habit(slot, known.times + 1, mean, bucket)
    return (*kept, fresh)[-_MOST:]
