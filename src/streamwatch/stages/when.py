"""Reading the time that a client wrote."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.events import Time

EARLIEST_MS = 946_684_800_000
"""2000-01-01: no event of a size widget is older."""

_SECONDS_BELOW = 1e11
"""A number below it is read as seconds (up to the year 5138), from it on as milliseconds."""

_BARE_DATE = len("20260901")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?")


# Half a millisecond earlier, so that whole milliseconds since then are rounded ones since 1970.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC) - timedelta(microseconds=500)


def event_time_ms(time: Time, zone_of: Callable[[str], tzinfo], shop: str) -> int | None:
    """Milliseconds since 1970 UTC, or ``None`` if the time cannot be read.

    Reads ISO 8601 text, epoch seconds and epoch milliseconds, the numbers as text too. Text
    without an offset is taken in the shop's own zone, for which ``zone_of(shop)`` is asked.

    >>> event_time_ms("2026-09-01T10:00:00.5Z", lambda shop: UTC, "s")
    1788256800500
    >>> [event_time_ms(time, lambda shop: UTC, "s") for time in (1788256800.5, "soon")]
    [1788256800500, None]
    """
    if isinstance(time, str):
        # ISO 8601 without dashes looks like a number: 13 digits could be a date, an hour and
        # a minute. Past the length of a bare date, the number is meant.
        if "-" not in time and len(time) > _BARE_DATE and (number := _number_ms(time)) is not None:
            return number
        try:
            moment = datetime.fromisoformat(time)
        except ValueError:
            return _number_ms(time)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone_of(shop))
        try:
            since = moment - _EPOCH
        except (OverflowError, ValueError):
            return None
        return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    return None if time is None else _epoch_ms(time)


def _number_ms(text: str) -> int | None:
    if not _NUMBER.fullmatch(text):
        return None
    return _epoch_ms(float(text))


def _epoch_ms(number: float) -> int | None:
    if not -math.inf < number < math.inf:  # unlike isfinite, for whole numbers of any length
        return None
    return round(number * 1000) if abs(number) < _SECONDS_BELOW else round(number)
