"""The passage of one record through COUNT: what it leaves behind on its way."""

from collections.abc import Mapping

from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.events import Event
from streamwatch.domain.messages import Message
from streamwatch.domain.records import Record
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.rows import RejectRow, Value
from streamwatch.stages.batch import POINTS
from streamwatch.stages.declared import Numbers
from streamwatch.stages.segment import Segmented
from streamwatch.steps.countstate import CountState
from streamwatch.steps.redact import described, redacted
from streamwatch.steps.step import Outcome
from streamwatch.taps.take import Sampled, Tap, Where, take

DEAD_LETTERS = ".dlq"
"""What is appended to a source's topic to name its dead-letter topic."""

_NO_SHOP = frozenset(("unknown-shop", "bad-id"))
"""Reasons after which the record's shop is not one that is counted."""

_NOTHING: Mapping[str, Value] = {}


class Passage:
    """One record on its way: its taps, its refusal or its place in the batch.

    Attributes:
        record: the record.
        arrived: its arrival, milliseconds; the newest event time where nobody knows it.
        arrived_or_now: its arrival, or the wall clock where nobody knows it.
        state: COUNT's state.
    """

    __slots__ = ("_outcome", "_sampled", "_where", "arrived", "arrived_or_now", "record", "state")

    def __init__(
        self, record: Record, where: Where, outcome: Outcome, state: CountState, now_ms: int
    ) -> None:
        self.record = record
        self.state = state
        self._where = where
        self._outcome = outcome
        self._sampled: Sampled | None = None
        arrived = record.timestamp
        if arrived >= 0:
            self.arrived = self.arrived_or_now = arrived
            state.progress.arrival = max(state.progress.arrival, arrived)
        else:
            self.arrived, self.arrived_or_now = state.progress.arrival, now_ms

    def tap(
        self,
        taps: tuple[Tap, ...],
        event: Event,
        occurred: int | None = None,
        added: Mapping[str, Value] = _NOTHING,
    ) -> None:
        """Write the rows of the taps after one stage."""
        if self._sampled is None:
            self._sampled = Sampled(event.event_id)
        at = (self.record.offset, self.arrived, occurred)
        self._outcome.rows += take(taps, self._where, self._sampled, event, at, added)

    def count(self, segmented: Segmented, declared: Numbers) -> None:
        """The record passed every stage."""
        event, hour = segmented.event, segmented.hour
        state = self.state
        if hour > state.newest.get(event.shop, -1):
            state.newest[event.shop] = hour
        if self.record.timestamp < 0:
            self.arrived = segmented.occurred
            state.progress.arrival = max(state.progress.arrival, segmented.occurred)
        place = state.batch.place(event.shop, hour)
        state.batch.count(place, self.arrived, declared, event, segmented.cuts)
        self._outcome.aggregated += 1

    def refuse(
        self,
        refusal: Refusal,
        event: Event,
        declared: Numbers,
        passed: str,
        occurred: int | None,
    ) -> None:
        """A stage after `decode` refused the record; ``passed`` is the last one of `POINTS`."""
        known = refusal.reason not in _NO_SHOP
        place = self._place_of_refused(event.shop, occurred) if known else None
        if place is not None:
            key = described(refusal)
            self.state.batch.drop(place, self.arrived, declared, event, POINTS.index(passed), key)
        self._write(refusal, event.event_id, event.shop, occurred)

    def refuse_unread(self, refusal: Refusal) -> None:
        """`decode` refused the record, so hardly anything is known of it."""
        place = self._place_of_refused(refusal.shop, None) if refusal.shop else None
        if place is not None:
            self.state.batch.reject(place, described(refusal), self.arrived)
        self._write(refusal, refusal.event_id, refusal.shop, None)

    def _place_of_refused(self, shop: str, occurred: int | None) -> int | None:
        """The newest hour of the shop: a refused record's own time is not to be trusted.

        ``None`` when the shop is new and nobody knows when the record came.
        """
        newest = self.state.newest.get(shop)
        if newest is None:
            at = self.arrived if occurred is None else occurred
            if at <= 0:
                return None
            newest = self.state.newest[shop] = at - at % HOUR_MS
        return self.state.batch.place(shop, newest)

    def _write(
        self, refusal: Refusal, event_id: str | None, shop: str | None, occurred: int | None
    ) -> None:
        outcome, where, record = self._outcome, self._where, self.record
        outcome.rows.append(
            RejectRow(
                topic=where.topic,
                partition=where.partition,
                offset=record.offset,
                event_type=where.event_type,
                kind=refusal.kind,
                stage=refusal.stage,
                reason=refusal.reason,
                field=refusal.field,
                event_id=event_id,
                shop=shop,
                occurred_at=occurred,
                arrived_at=self.arrived,
                payload=redacted(record.value),
                epoch=where.epoch,
            )
        )
        if refusal.kind == "reject":
            outcome.rejected += 1
            return
        outcome.dead_lettered += 1
        headers = (
            ("streamwatch.topic", where.topic.encode()),
            ("streamwatch.partition", str(where.partition).encode()),
            ("streamwatch.offset", str(record.offset).encode()),
            ("streamwatch.stage", refusal.stage.encode()),
            ("streamwatch.reason", refusal.reason.encode()),
        )
        value = b"" if record.value is None else record.value
        topic = where.topic + DEAD_LETTERS
        outcome.messages.append(Message(topic, record.key, value, headers=headers))
