"""Pace: what differs between readings by the hour, the day, the week and the month."""

import msgspec

from streamwatch.domain.readings import Span


class Pace(msgspec.Struct, frozen=True):
    """How fast readings of a span are gathered, learned and forgotten.

    Attributes:
        warmup: readings per day of warm-up.
        keep: share of the level's weight that stays after each reading.
        weekday_keep: the same for the weekdays' factors.
        lasting: readings after which a departure becomes the new normal.
        alike: readings that wobble together (the hours of one day have a good or a bad
            day in common), so that they inform about the level like one.
        kinship: correlation of neighbouring readings, for the windows.
    """

    warmup: float
    keep: float
    weekday_keep: float
    lasting: int
    alike: float
    kinship: float


PACES: dict[Span, Pace] = {
    "hour": Pace(
        warmup=24, keep=1 - 1 / 336, weekday_keep=0.9956, lasting=168, alike=12.0, kinship=0.5
    ),
    "day": Pace(warmup=1, keep=1 - 1 / 28, weekday_keep=0.9, lasting=7, alike=1.0, kinship=0.05),
    "week": Pace(
        warmup=3 / 7, keep=1 - 1 / 12, weekday_keep=1.0, lasting=4, alike=1.0, kinship=0.05
    ),
    "month": Pace(
        warmup=3 / 14, keep=1 - 1 / 9, weekday_keep=1.0, lasting=3, alike=1.0, kinship=0.05
    ),
}


def readings_wanted(span: Span, warmup_days: int) -> int:
    """Readings before volumes and means of a span are judged.

    >>> readings_wanted("hour", 14), readings_wanted("day", 14), readings_wanted("week", 14)
    (336, 14, 6)
    """
    return max(round(warmup_days * PACES[span].warmup), 1)


def half_wanted(span: Span, warmup_days: int) -> int:
    """The same for shares and mixes, which rest on many records each."""
    return max(readings_wanted(span, warmup_days) // 2, 1)
