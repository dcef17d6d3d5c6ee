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
        self._due: dict[tuple[str, str], int] = {}
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
        due = self._due.get((event, shop), 0)
        return self._memory > 0 and not due - 2 * self._every <= arrived < due

    def due_among(self, event: str, shops: Sequence[str], arrived: Sequence[int]) -> list[int]:
        """Which of many records are to be kept, if each is that is due.

        >>> recorder = Recorder(every=1000, memory=10_000)
        >>> recorder.due_among("return", ["s", "s", "t", "s"], [5000, 5400, 5800, 6200])
        [0, 2, 3]
        """
        every, rows = self._every, []
        due = {shop: self._due.get((event, shop), 0) for shop in set(shops)}
        for row, (shop, at) in enumerate(zip(shops, arrived, strict=True)):
            if not due[shop] - 2 * every <= at < due[shop]:
                rows.append(row)
                due[shop] = at + every
        return rows if self._memory > 0 else []

    def begin(self, event: str, shop: str, arrived: int) -> None:
        """A record of the shop is being kept; the next is due `every` later."""
        if len(self._due) > MOST_SHOPS:
            self._due.clear()
        self._due[event, shop] = arrived + self._every

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
