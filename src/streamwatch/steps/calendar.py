"""Local days and hours: where a moment lies in a shop's own time.

All moments are milliseconds since 1970 UTC. A local day has 23 or 25 hours when the clocks
change. Hours are COUNT's buckets; in a zone that is off by half an hour they straddle
midnight and belong to the day in which they begin.
"""

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from streamwatch.domain.cells import HOUR_MS

LAST_MOMENT = 253_370_764_800_000
"""The year 9999 begins; later moments are no dates."""

_KNOWN = 65_536
"""Moments whose place is remembered: all shops of a zone ask for the same."""


@lru_cache(maxsize=_KNOWN)
def day_start(moment: int, zone: tzinfo) -> int:
    """The local midnight at or before a moment.

    >>> from datetime import timezone
    >>> day_start(1_700_000_000_000, timezone.utc)
    1699920000000
    """
    return _midnight(datetime.fromtimestamp(moment / 1000, zone))


@lru_cache(maxsize=_KNOWN)
def next_day(day: int, zone: tzinfo) -> int:
    """The local midnight after the one that begins a day."""
    # Noon is safely inside the day, whatever the clocks do at night.
    noon = datetime.fromtimestamp(day / 1000, zone).replace(hour=12, fold=0)
    return _midnight(noon + timedelta(days=1))


def days_from(day: int, count: int, zone: tzinfo) -> list[int]:
    """So many local days, the first included."""
    days = [day]
    while len(days) < count:
        days.append(next_day(days[-1], zone))
    return days


def week_start(day: int, begins: int, zone: tzinfo) -> int:
    """The newest local midnight of a weekday at or before the one that begins a day."""
    back = (day_slot(day, zone) - begins) % 7
    # Noon is safely inside the day, whatever the clocks do at night.
    noon = datetime.fromtimestamp(day / 1000, zone).replace(hour=12, fold=0)
    return _midnight(noon - timedelta(days=back))


def month_start(day: int, begins: int, zone: tzinfo) -> int:
    """The newest local midnight of a day of the month at or before the one that begins a day.

    Args:
        day: a local midnight.
        begins: the day of the month, 1 to 28.
        zone: the shop's.
    """
    noon = datetime.fromtimestamp(day / 1000, zone).replace(hour=12, fold=0)
    if noon.day < begins:
        noon = noon.replace(day=1) - timedelta(days=1)
    return _midnight(noon.replace(day=begins))


def days_of_month(start: int, zone: tzinfo) -> list[int]:
    """The local days from one up to that of the same number a month later."""
    noon = datetime.fromtimestamp(start / 1000, zone).replace(hour=12, fold=0)
    following = (noon.replace(day=1) + timedelta(days=31)).replace(day=1)
    return days_from(start, (following - noon.replace(day=1)).days, zone)


@lru_cache(maxsize=_KNOWN)
def day_of_month(day: int, zone: tzinfo) -> int:
    """The day of the month, from 1."""
    return datetime.fromtimestamp(day / 1000, zone).day


@lru_cache(maxsize=_KNOWN)
def day_slot(day: int, zone: tzinfo) -> int:
    """The weekday: 0 Monday to 6 Sunday."""
    return datetime.fromtimestamp(day / 1000, zone).weekday()


@lru_cache(maxsize=_KNOWN)
def hour_slot(hour: int, zone: tzinfo) -> int:
    """The hour of the week: 0 Monday midnight to 167."""
    local = datetime.fromtimestamp(hour / 1000, zone)
    return local.weekday() * 24 + local.hour


def hour_end(hour: int) -> int:
    """The end of an hour."""
    return hour + HOUR_MS


def _midnight(local: datetime) -> int:
    start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return round(start.timestamp() * 1000)
