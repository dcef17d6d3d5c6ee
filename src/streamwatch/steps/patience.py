"""How long a shop's days are waited for.

Some shops send a day's file the next morning or a week's on Sunday. Judging their days an
hour after midnight would find them empty each time, so a shop whose records habitually come
late is waited for as long as they usually take.
"""

import msgspec

from streamwatch.domain.cells import DAY_MS

LONGEST_MS = 7 * DAY_MS + DAY_MS // 2
_MATERIAL = 0.1
_HABIT_DAYS = 4
_REMEMBERED_DAYS = 14
_MARGIN = 1.25


class LateDay(msgspec.Struct, array_like=True):
    """What of a day came after its end.

    Attributes:
        records: how many.
        delay: milliseconds from the day's end until the last material part of it; 0 if none.
    """

    records: int = 0
    delay: int = 0


def note(late: dict[int, LateDay], day: int, records: int, total: int, delay: int) -> None:
    """Remember that so many records of a day came ``delay`` after its end."""
    entry = late.setdefault(day, LateDay())
    entry.records += records
    if entry.records >= _MATERIAL * total:
        entry.delay = max(entry.delay, delay)
    for old in [known for known in late if known < max(late) - _REMEMBERED_DAYS * DAY_MS]:
        del late[old]


def forget(late: dict[int, LateDay], day: int) -> None:
    """Drop what is old when a day is closed: a shop that is punctual now is not waited for."""
    for old in [known for known in late if known < day - _REMEMBERED_DAYS * DAY_MS]:
        del late[old]


def is_late(late: dict[int, LateDay], lateness: int) -> bool:
    """Whether it is the shop's habit to send what belongs to a day after its end."""
    return sum(entry.delay > lateness for entry in late.values()) >= _HABIT_DAYS


def patience(late: dict[int, LateDay], lateness: int) -> int:
    """How long after its end a day of this shop is closed, milliseconds.

    Args:
        late: the days' late parts.
        lateness: the configured patience, used unless lateness is the shop's habit.

    >>> hour = 3_600_000
    >>> days = {d * DAY_MS: LateDay(100, 6 * hour) for d in range(5)}
    >>> patience({}, hour) // hour, patience(days, hour) / hour
    (1, 8.5)
    """
    if not is_late(late, lateness):
        return lateness
    slowest = max(entry.delay for entry in late.values())
    return max(lateness, min(int(slowest * _MARGIN) + lateness, LONGEST_MS))
