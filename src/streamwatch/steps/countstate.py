"""What COUNT remembers of one source partition."""

from collections import defaultdict
from collections.abc import Mapping
from heapq import heapify, heappop, heappush

import msgspec

from streamwatch.domain.cells import ALL, HOUR_MS, Cell, Cells
from streamwatch.domain.statevalue import pack, unpack
from streamwatch.stages.batch import Batch, Place
from streamwatch.taps.meters import Meters, Reading

VERSION = 2
PROGRESS = "~progress"
"""State key of `Progress`; a tilde sorts behind every shop's name that is usual."""

METERS = "~taps"
"""State key of what limited taps have taken."""

BATCH_ROWS = 20_000
"""Noted records after which they are summed, so that memory stays bounded between flushes."""

ROWS_A_PLACE = 150
"""So many a place are waited for as well: cells of few records are hardly less work to make and to
merge than those of many, and the next flush sums them anyway."""

MOST_ROWS = 1_000_000
"""Noted records that are summed in any case."""

MOST_PLACES, MOST_HOURS = 5_000, 3
"""Changed places that wait for a flush at most, and further hours of every shop: in a replay every
shop comes to a new hour again and again, and what is flushed takes a tenth of the memory."""


class Progress(msgspec.Struct):
    """How far the partition is, and what the last flush may have left unpublished.

    Attributes:
        arrival: arrival of the newest record, milliseconds; 0 before the first.
        received: the wall clock when it was taken in.
        settled: state keys that the last flush wrote.
    """

    arrival: int = 0
    received: int = 0
    settled: list[str] = []


class CountState:
    """Cells by place, decoded when they are touched, held as bytes only once their hour is past.

    A shop keeps hundreds of hours for late records, and bytes take a tenth of the memory.

    Attributes:
        batch: records that are not in the cells yet.
        newest: shop → start of its newest hour.
        progress: see `Progress`.
        settled_arrival: arrival of the newest record that the last settling included; the
            partials up to it are on their way to JUDGE.
        changed: places touched since the last settling.
        meters: what limited taps have taken.
    """

    def __init__(self, batch: Batch, states: Mapping[str, bytes]) -> None:
        self.batch = batch
        self.newest: dict[str, int] = {}
        self.progress = Progress()
        self.settled_arrival = 0
        self.changed: set[Place] = set()
        self.meters = Meters()
        self._advanced: set[str] = set()
        self._cells: dict[Place, Cells] = {}
        self._frozen: dict[Place, bytes] = {}
        # By shop, so that a shop's new hour costs no look at all the others.
        self._decoded: defaultdict[str, set[int]] = defaultdict(set)
        self._hours: defaultdict[str, list[int]] = defaultdict(list)
        for key, value in states.items():
            if key == PROGRESS:
                self.progress = unpack(value, Progress, VERSION, key)
                self.settled_arrival = self.progress.arrival
                continue
            if key == METERS:
                self.meters = Meters(unpack(value, dict[str, dict[str, Reading]], VERSION, key))
                continue
            place = place_of(key)
            shop, hour = place
            self._frozen[place] = value
            self._hours[shop].append(hour)
            self.newest[shop] = max(self.newest.get(shop, 0), hour)
        for hours in self._hours.values():
            heapify(hours)

    @property
    def has_full_batch(self) -> bool:
        """Whether the noted records are to be summed now."""
        rows = len(self.batch)
        enough = min(ROWS_A_PLACE * len(self.batch.places), MOST_ROWS)
        return rows >= max(BATCH_ROWS, enough)

    @property
    def is_crowded(self) -> bool:
        """Whether so many places wait that they are better flushed."""
        waiting = max(len(self.changed), len(self.batch.places))
        return waiting > MOST_PLACES + MOST_HOURS * len(self.newest)

    def advance(self, shop: str, hour: int) -> None:
        """Take note of a shop's hour; an older one than its newest changes nothing."""
        if hour > self.newest.get(shop, -1):
            self.newest[shop] = hour
            self._advanced.add(shop)

    def cells(self, place: Place) -> Cells:
        """The cells of a place, to be added to; new ones if it has none."""
        frozen = self._frozen.pop(place, None)
        found = self._cells.get(place)
        if found is None:
            shop, hour = place
            if frozen is None:
                found = {}
                heappush(self._hours[shop], hour)
            else:
                found = {**unpack(frozen, dict[str, Cell], VERSION, key_of(place))}
            self._cells[place] = found
            self._decoded[shop].add(hour)
        return found

    def encoded(self, place: Place) -> bytes:
        """The encoded cells of a place; the decoded ones go once its shop is two hours on."""
        encoded = self._frozen.get(place)
        if encoded is None:
            encoded = self._frozen[place] = _pack(self._cells[place])
        if self._is_past(place, HOUR_MS):
            self._cells.pop(place, None)
            self._decoded[place[0]].discard(place[1])
        return encoded

    def turn_over(self, horizon: int) -> list[Place]:
        """Shops that came to a new hour: encode their past hours, forget those out of reach.

        Returns:
            The forgotten places. What has just changed is kept until the next time, since
            its partial may have to be announced again.
        """
        shops, self._advanced = self._advanced, set()
        forgotten = []
        for shop in sorted(shops):
            for hour in sorted(self._decoded[shop]):
                if self._is_past((shop, hour), HOUR_MS):
                    self.encoded((shop, hour))
            hours, kept = self._hours[shop], []
            while hours and self._is_past((shop, hours[0]), horizon):
                place = (shop, heappop(hours))
                if place in self.changed:
                    kept.append(place[1])
                else:
                    del self._frozen[place]
                    forgotten.append(place)
            for hour in kept:
                heappush(hours, hour)
        return forgotten

    def _is_past(self, place: Place, by: int) -> bool:
        return place[1] < self.newest[place[0]] - by


def _pack(cells: Cells) -> bytes:
    whole = cells.get(ALL)
    if not isinstance(whole, Cell):
        return pack(VERSION, cells)
    stages, whole.stages = whole.stages, whole.brief_stages()
    try:
        return pack(VERSION, cells)
    finally:
        whole.stages = stages


def key_of(place: Place) -> str:
    """The state key of a place: hour, then shop.

    >>> place_of(key_of(("shop-001", 3600000)))
    ('shop-001', 3600000)
    """
    return f"{place[1]}/{place[0]}"


def place_of(key: str) -> Place:
    """The place that a state key names."""
    hour, _, shop = key.partition("/")
    return shop, int(hour)
