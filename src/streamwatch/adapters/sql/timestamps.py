"""Times: milliseconds since 1970 UTC in the program, real timestamps in the database.

PostgreSQL keeps ``timestamp with time zone``. SQLite keeps text such as
``2026-03-01 09:30:00.250000`` in UTC, which sorts and which its date functions understand.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Timestamp(TypeDecorator[int]):
    """A column that is milliseconds in Python and a timestamp in SQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Milliseconds to a time in UTC."""
        return None if value is None else EPOCH + value * _MILLISECOND

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """A time to milliseconds; SQLite's come without a zone and are UTC."""
        if value is None:
            return None
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (aware - EPOCH) // _MILLISECOND


def timestamp_text(milliseconds: int | None) -> str | None:
    """The text that both databases take for a time; ``None`` outside the years 1 to 9999.

    Bulk writes use it, since it costs a fifth of a ``datetime`` and its conversion.

    >>> timestamp_text(1_772_357_400_250)
    '2026-03-01 09:30:00.250000'
    >>> timestamp_text(10**18) is None
    True
    """
    if milliseconds is None:
        return None
    second, rest = divmod(milliseconds, 1000)
    begin = _second_text(second)
    return None if begin is None else f"{begin}.{rest:03d}000"


def arrival_text(milliseconds: int) -> str | None:
    """The same for an arrival, where -1 stands for nobody knows."""
    return timestamp_text(milliseconds) if milliseconds >= 0 else None


def arrival_day(milliseconds: int) -> str:
    """The UTC day of an arrival, and 1970's first day where nobody knows it.

    >>> arrival_day(1_772_357_400_250), arrival_day(-1)
    ('2026-03-01', '1970-01-01')
    """
    return _day_text(milliseconds // 86_400_000) if milliseconds >= 0 else "1970-01-01"


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    try:
        return (EPOCH + timedelta(days=day)).date().isoformat()
    except OverflowError:
        return "1970-01-01"


@lru_cache(maxsize=8192)
def _second_text(second: int) -> str | None:
    try:
        return (EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat(" ")
    except OverflowError:
        return None
