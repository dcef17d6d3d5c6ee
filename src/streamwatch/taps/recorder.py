"""The flight recorder: recent records of every shop, in memory, within a budget of bytes.

When an incident opens, what it holds of the shop is written down, so the evidence is older than
the alert. Of each shop one record in `every` milliseconds of arrival is kept, so a shop of
twenty events a day is kept whole and a large one does not push it out.
"""

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.rows import Value
from streamwatch.taps.take import LONGEST_ID, Where

ROW_BYTES = 500
"""What a kept row takes beside its columns, about."""

FROZEN_MS = 3 * DAY_MS
"""How far back from its newest record a shop's recording is written down."""

MOST_SHOPS = 200_000
"""Shops of whom it is known when the next record is due; with more, all become due anew."""

_NEVER: Mapping[str, int] = {}

_encode = msgspec.json.Encoder().encode


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A record as it stood after a stage; ``columns`` is a JSON object without identity."""

    event_type: str
    stage: str
    topic: str
    partition: int
    epoch: int
    offset: int
    event_id: str
    shop: str
    occurred_at: int | None
    arrived_at: int
    columns: bytes


class Recorder:
    """The rings of one worker.

    >>> recorder = Recorder(every=1000, memory=10_000)
    >>> recorder.begin("return", "s", 0)
    >>> [recorder.is_due("return", "s", at) for at in (500, 1000)]
    [False, True]
    """

    def __init__(self, every: int, memory: int) -> None:
        self._every = every
        self._memory = memory
        self._due: dict[str, dict[str, int]] = {}
        self._rings: dict[str, deque[Recorded]] = {}
        self._order: deque[str] = deque()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """What the kept rows take, about."""
        return self._bytes

    def is_due(self, event: str, shop: str, arrived: int) -> bool:
        """Whether a record of the shop is to be kept.

        An arrival long before the last one is another history, and is due.
        """
        due = self._due.get(event, _NEVER).get(shop, 0)
        return self._memory > 0 and not due - 2 * self._every <= arrived < due

    def due_among(
        self, event: str, shops: Sequence[str], arrived: Sequence[int], sure: Sequence[bool]
    ) -> list[int]:
        """Which of many records may be due, one after the other; all others are not.

        Args:
            event: their type.
            shops: of each.
            arrived: of each, milliseconds.
            sure: whether it will be kept if it is due. One that is not sure does not make the
                shop's next record less due.

        >>> recorder = Recorder(every=1000, memory=10_000)
        >>> recorder.due_among("return", ["s", "s", "t", "s"], [5000, 5400, 5800, 6200], [True] * 4)
        [0, 2, 3]
        """
        if self._memory <= 0 or not shops:
            return []
        dues, back = self._due.get(event, _NEVER), 2 * self._every
        first, last = min(arrived), max(arrived)
        due = {
            shop: at
            for shop in set(shops)
            if not (at := dues.get(shop, 0)) - back <= first <= last < at
        }
        rows: list[int] = []
        if not due:
            return rows
        for row, shop in enumerate(shops):
            if shop in due and not due[shop] - back <= arrived[row] < due[shop]:
                rows.append(row)
                if sure[row]:
                    due[shop] = arrived[row] + self._every
        return rows

    def begin(self, event: str, shop: str, arrived: int) -> None:
        """A record of the shop is being kept; the next is due `every` later."""
        dues = self._due.setdefault(event, {})
        if len(dues) > MOST_SHOPS:
            dues.clear()
        dues[shop] = arrived + self._every

    def add(
        self,
        where: Where,
        stage: str,
        event: object,
        at: tuple[int, int, int | None],
        columns: Mapping[str, Value],
    ) -> None:
        """Keep a record as it stands after a stage; the oldest rows make room for it.

        Args:
            where: the partition.
            stage: which.
            event: has ``event_id`` and ``shop``.
            at: offset, arrival and event time.
            columns: what is kept of it.
        """
        offset, arrived, occurred = at
        shop = getattr(event, "shop", "")[:LONGEST_ID]
        row = Recorded(
            event_type=where.event_type,
            stage=stage,
            topic=where.topic,
            partition=where.partition,
            epoch=where.epoch,
            offset=offset,
            event_id=getattr(event, "event_id", "")[:LONGEST_ID],
            shop=shop,
            occurred_at=occurred,
            arrived_at=arrived,
            columns=_encode(columns),
        )
        self._rings.setdefault(shop, deque()).append(row)
        self._order.append(shop)
        self._bytes += ROW_BYTES + len(row.columns)
        while self._bytes > self._memory:
            self._drop_oldest()

    def of(self, shop: str) -> Sequence[Recorded]:
        """What is kept of a shop's last days, in the order in which it came."""
        # A copy is made in one go, so that another thread may ask while records come.
        ring = self._rings.get(shop)
        rows = [] if ring is None else list(ring.copy())
        newest = max((row.arrived_at for row in rows), default=0)
        return tuple(row for row in rows if row.arrived_at >= newest - FROZEN_MS)

    def _drop_oldest(self) -> None:
        shop = self._order.popleft()
        ring = self._rings[shop]
        row = ring.popleft()
        self._bytes -= ROW_BYTES + len(row.columns)
        if not ring:
            del self._rings[shop]
