"""Taking tap rows: the rows that the taps after a stage make of records."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from streamwatch.domain.events import Event
from streamwatch.domain.rows import Row, TapRows, Value
from streamwatch.taps.compiled import Added, Layout, Tap, layout_of
from streamwatch.taps.meters import Gate

LONGEST_ID = 200
"""Characters kept of an event id or a shop: before `validate` they may be of any length, and an
index cannot hold more than some thousand bytes."""


class Where(msgspec.Struct, frozen=True):
    """The coordinates of a partition that tap rows carry."""

    event_type: str
    topic: str
    partition: int
    epoch: int


class Seen(msgspec.Struct, frozen=True):
    """Records as they stand after a stage, n of them; no id or shop is longer than `LONGEST_ID`.

    Attributes:
        offsets, arrivals: of each.
        occurred: their event times; ``None`` before they are known.
        events: as they stand after the stage.
        hashes: of their ids, see `taps.select`.
        added: tells what stages added to a record, by its place.
    """

    offsets: Sequence[int]
    arrivals: Sequence[int]
    occurred: Sequence[int | None]
    events: Sequence[Event]
    hashes: Sequence[int]
    added: Callable[[int], Added]


class Taking:
    """The taps after one stage over one slice, and the rows that they take."""

    __slots__ = ("_rows", "_sheets", "_taps", "_where")

    def __init__(self, taps: tuple[Tap, ...], where: Where, rows: list[Row]) -> None:
        """Args: of the stage; the partition; to where the rows go."""
        self._taps = taps
        self._where = where
        self._rows = rows
        self._sheets: dict[str, tuple[Layout, list[tuple[Value, ...]]]] = {}

    def take(
        self,
        hashed: int,
        event: Event,
        at: tuple[int, int, int | None],
        added: Callable[[], Added],
        gate: Gate | None = None,
    ) -> None:
        """Make the row of one record, if any of the taps takes it.

        Of several taps that take it there is one row, with the columns of all of them, since a
        stage has one table and a record one row in it.

        Args:
            hashed: the event's hash, see `taps.select`.
            event: the event as it stands after the stage.
            at: offset, arrival and event time (``None`` before it is known), milliseconds.
            added: tells the columns that stages added.
            gate: the limits of the taps; ``None`` where no tap has any.
        """
        offset, arrived, occurred = at
        shop = event.shop[:LONGEST_ID]
        taking = [
            tap
            for tap in self._taps
            if hashed < tap.threshold
            and tap.takes(event)
            and (
                gate is None or tap.limit is None or gate.admits(tap.name, tap.limit, shop, arrived)
            )
        ]
        if not taking:
            return
        name = taking[0].name if len(taking) == 1 else ",".join([tap.name for tap in taking])
        layout, rows = self._sheets.get(name) or self._begin(name, tuple(taking))
        values = layout.read(event)
        if layout.added is not None:
            values += layout.added(added())
        if layout.shaped:
            values += tuple([read(event) for read in layout.shaped])
        if gate is not None and layout.limited:
            gate.took(layout.limited, shop, values)
        rows.append((offset, event.event_id[:LONGEST_ID], shop, occurred, arrived, *values))

    def take_all(self, seen: Seen) -> None:
        """Make the rows of many records, of taps without limits."""
        (tap, *others), layout = self._taps, layout_of(self._taps)
        if others or layout.shaped:
            for place, event in enumerate(seen.events):
                at = seen.offsets[place], seen.arrivals[place], seen.occurred[place]
                self.take(seen.hashes[place], event, at, partial(seen.added, place))
            return
        takes, threshold, read, pick = tap.takes, tap.threshold, layout.read, layout.added
        found = [
            (offset, event.event_id, event.shop, occurred, arrived, *read(event))
            if pick is None
            else (
                offset,
                event.event_id,
                event.shop,
                occurred,
                arrived,
                *read(event),
                *pick(seen.added(place)),
            )
            for place, (offset, occurred, arrived, hashed, event) in enumerate(
                zip(
                    seen.offsets,
                    seen.occurred,
                    seen.arrivals,
                    seen.hashes,
                    seen.events,
                    strict=True,
                )
            )
            if hashed < threshold and takes(event)
        ]
        if found:
            _, rows = self._sheets.get(tap.name) or self._begin(tap.name, self._taps)
            rows += found

    def _begin(self, name: str, taps: tuple[Tap, ...]) -> tuple[Layout, list[tuple[Value, ...]]]:
        """The first record of the slice that just these taps take."""
        where, layout = self._where, layout_of(taps)
        rows: list[tuple[Value, ...]] = []
        self._rows.append(
            TapRows(
                where.event_type,
                taps[0].stage,
                where.topic,
                where.partition,
                where.epoch,
                name,
                layout.names,
                rows,
            )
        )
        self._sheets[name] = layout, rows
        return layout, rows
