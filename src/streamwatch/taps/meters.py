"""How much a tap may still take of a shop: a rate, and a budget of bytes for each day.

Both go by the arrival of the records, so a replay takes the same rows. The meters are part of
COUNT's state: a worker that takes over goes on where the last one ended.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.rows import Value
from streamwatch.domain.tap_settings import TapSettings

SECOND_MS = 1000
ROW_BYTES = 120
"""What coordinates, ids and times of a row take, about."""

NUMBER_BYTES = 8


class Reading(msgspec.Struct, array_like=True):
    """One tap's meter of one shop.

    Attributes:
        second: the newest second of arrival, and ``taken`` the events taken in it.
        day: the newest day of arrival, and ``bytes`` what was taken in it.
    """

    second: int = 0
    taken: int = 0
    day: int = 0
    bytes: int = 0


class Limit(msgspec.Struct, frozen=True):
    """What a tap's file allows of each shop; ``None`` is no limit."""

    rate: int | None
    budget: int | None


def limit_of(tap: TapSettings) -> Limit | None:
    """The limit that a tap's file sets, if any."""
    if tap.rate is None and tap.budget is None:
        return None
    return Limit(tap.rate, tap.budget)


class Meters:
    """The meters of one source partition.

    Attributes:
        readings: tap → shop → reading.
        changed: whether anything was taken since `settled`.
        withheld: tap → events that it would have taken but for its limits.
    """

    def __init__(self, readings: dict[str, dict[str, Reading]] | None = None) -> None:
        self.readings = readings or {}
        self.changed = False
        self.withheld: Counter[str] = Counter()

    def admits(self, tap: str, limit: Limit, shop: str, arrived: int) -> bool:
        """Whether a tap may take another event of a shop; if so it counts as taken.

        An arrival before the newest counts in the newest second and day.

        >>> meters, two = Meters(), Limit(rate=2, budget=None)
        >>> [meters.admits("t", two, "s", at) for at in (0, 10, 20, 1000)]
        [True, True, False, True]
        """
        reading = self.readings.setdefault(tap, {}).setdefault(shop, Reading())
        self.changed = True
        second, day = arrived // SECOND_MS, arrived // DAY_MS
        if second > reading.second:
            reading.second, reading.taken = second, 0
        if day > reading.day:
            reading.day, reading.bytes = day, 0
        over_rate = limit.rate is not None and reading.taken >= limit.rate
        over_budget = limit.budget is not None and reading.bytes >= limit.budget
        if over_rate or over_budget:
            self.withheld[tap] += 1
            return False
        reading.taken += 1
        return True

    def weigh(self, tap: str, shop: str, taken: int) -> None:
        """So many bytes were taken: they count for the day."""
        self.readings[tap][shop].bytes += taken

    def forget(self, arrived: int) -> None:
        """Drop the readings that say nothing any more at this arrival."""
        yesterday = arrived // DAY_MS - 1
        for tap, shops in list(self.readings.items()):
            kept = {shop: one for shop, one in shops.items() if one.day >= yesterday}
            if kept:
                self.readings[tap] = kept
            else:
                del self.readings[tap]


class Gate:
    """The limits on the way of one record: what is decided at its first stage holds for all."""

    __slots__ = ("_admitted", "_meters")

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._admitted: dict[str, bool] = {}

    def admits(self, tap: str, limit: Limit, shop: str, arrived: int) -> bool:
        """Whether a tap takes this record."""
        admitted = self._admitted.get(tap)
        if admitted is None:
            admitted = self._meters.admits(tap, limit, shop, arrived)
            self._admitted[tap] = admitted
        return admitted

    def took(self, taps: Iterable[str], shop: str, values: Iterable[Value]) -> None:
        """Limited taps took a row of the record, with these values of the event."""
        taken = row_bytes(values)
        for tap in taps:
            self._meters.weigh(tap, shop, taken)


def row_bytes(values: Iterable[Value]) -> int:
    """About how many bytes a row takes with these values of an event.

    >>> row_bytes((170.0, "female"))
    134
    """
    return ROW_BYTES + sum(
        [len(value) if isinstance(value, str) else NUMBER_BYTES for value in values]
    )
