"""The passage of one record through COUNT: what it leaves behind on its way."""

from collections.abc import Mapping

from streamwatch.domain.events import EVENT_TYPES, Event
from streamwatch.domain.messages import Message
from streamwatch.domain.records import Record
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.rows import RejectRow, Value
from streamwatch.stages.batch import Earlier, Mark
from streamwatch.stages.declared import Numbers
from streamwatch.stages.mapping import LONGEST_NAME
from streamwatch.stages.segment import Segmented
from streamwatch.steps.countstate import CountState
from streamwatch.steps.redact import described, redacted
from streamwatch.steps.step import Outcome
from streamwatch.taps.live import NOTHING, ByStage
from streamwatch.taps.meters import Gate
from streamwatch.taps.recorder import Recorder
from streamwatch.taps.select import HASHES, digest_of, is_beyond
from streamwatch.taps.take import Sampled, Tap, Where, take

DEAD_LETTERS = ".dlq"
"""What is appended to a source's topic to name its dead-letter topic."""

LONGEST_DEAD_LETTER = 900_000
"""Bytes of a payload that a dead letter carries: with its headers it must fit what producers and
brokers take by default. A longer one is cut, and its header ``streamwatch.cut_from`` says so."""

LONGEST_KEY = 10_000
"""Bytes of a key that a dead letter carries."""

_NOTHING: Mapping[str, Value] = {}

RECORDED: Mapping[str, tuple[str, ...]] = {
    name: tuple(
        field for field in kind.event.__struct_fields__ if field not in ("event_id", "shop", "time")
    )
    for name, kind in EVENT_TYPES.items()
}
"""Event type → the fields that the flight recorder keeps: all but the person."""


class Passage:
    """One record on its way: its taps, its refusal or its place in the batch.

    It serves a whole slice, one record after the other; each starts with `begin`.

    Attributes:
        record: the record.
        arrived: its arrival, milliseconds; the newest event time where nobody knows it.
        arrived_or_now: its arrival, or the wall clock where nobody knows it.
        state: COUNT's state.
        recorded: whether the flight recorder keeps this record.
    """

    record: Record

    def __init__(
        self,
        where: Where,
        outcome: Outcome,
        state: CountState,
        now_ms: int,
        shopper_key: str,
        taps: ByStage,
        recorder: Recorder | None = None,
    ) -> None:
        self.state = state
        self.arrived = self.arrived_or_now = 0
        self._where = where
        self._outcome = outcome
        self._now_ms = now_ms
        self._shopper_key = shopper_key
        self._sampled: Sampled | None = None
        self._earlier: Earlier = ()
        self._taps = taps
        every = [tap for stage in taps.values() for tap in stage]
        self._least_left = digest_of(max((tap.threshold for tap in every), default=HASHES))
        self._limited = any(tap.limit for tap in every)
        self._gate: Gate | None = None
        self._recorder = recorder
        self.recorded = False

    def begin(self, record: Record) -> None:
        """Another record sets out."""
        self.record = record
        self._sampled = None
        self._earlier = ()
        self.recorded = False
        if self._limited:
            self._gate = Gate(self.state.meters)
        arrived, progress = record.timestamp, self.state.progress
        if arrived < 0:
            self.arrived, self.arrived_or_now = progress.arrival, self._now_ms
            return
        self.arrived = self.arrived_or_now = arrived
        progress.arrival = max(progress.arrival, arrived)

    def sampled_taps(self, event: Event) -> ByStage:
        """The taps that may take this record: none, for most events, where all taps sample."""
        if self._least_left is not None and is_beyond(event.event_id, self._least_left):
            return NOTHING
        return self._taps

    def tap(
        self,
        taps: tuple[Tap, ...],
        event: Event,
        occurred: int | None = None,
        added: Mapping[str, Value] = _NOTHING,
    ) -> None:
        """Write the rows of the taps after one stage."""
        at = (self.record.offset, self.arrived, occurred)
        if taps:
            if self._sampled is None:
                self._sampled = Sampled(event.event_id)
            rows = take(taps, self._where, self._sampled, event, at, added, self._gate)
            self._outcome.rows += rows

    def valid(self, event: Event, occurred: int) -> None:
        """The record is sound; the flight recorder may be due to keep one of its shop."""
        recorder = self._recorder
        if recorder is not None and recorder.begins(
            self._where.event_type, event.shop, self.arrived
        ):
            self.recorded = True
            self.keep("decode", event, occurred)

    def keep(self, stage: str, event: Event, occurred: int) -> None:
        """The flight recorder keeps the record as it stands after a stage."""
        if self._recorder is not None:
            columns = {name: getattr(event, name) for name in RECORDED[self._where.event_type]}
            at = (self.record.offset, self.arrived, occurred)
            self._recorder.add(self._where, stage, event, at, columns)

    def replaced(self, stage: str, before: Numbers) -> None:
        """A stage that should leave numbers alone gave another record: keep those before it."""
        self._earlier = (*self._earlier, (self.state.batch.points.index(stage), before))

    def numbers_of(self, event: Event) -> Numbers:
        """The numeric features of an event."""
        return self.state.batch.numbers_of(event)

    def count(self, segmented: Segmented, declared: Numbers) -> None:
        """The record passed every stage."""
        event, hour = segmented.event, segmented.hour
        state = self.state
        state.advance(event.shop, hour)
        if self.record.timestamp < 0:
            self.arrived = segmented.occurred
            state.progress.arrival = max(state.progress.arrival, segmented.occurred)
        place = state.batch.place(event.shop, hour)
        state.batch.count(place, self.arrived, declared, event, segmented.cuts, self._earlier)
        if segmented.marks:
            state.batch.marks += [Mark(place, name) for name in segmented.marks]
        self._outcome.aggregated += 1

    def note(self, event: Event, declared: Numbers, hour: int) -> None:
        """The record's numbers count for its stage, and for nothing else."""
        state = self.state
        state.advance(event.shop, hour)
        place = state.batch.place(event.shop, hour)
        state.batch.note(place, self.arrived, declared, event)
        self._outcome.aggregated += 1

    def refuse(
        self,
        refusal: Refusal,
        event: Event,
        declared: Numbers,
        passed: str,
        occurred: int | None = None,
    ) -> None:
        """A stage after `decode` refused the record; ``passed`` is the last one of `POINTS`."""
        place = self._place_of_refused(event.shop)
        if place is not None:
            key = described(refusal)
            point = self.state.batch.points.index(passed)
            self.state.batch.drop(place, self.arrived, declared, event, point, key, self._earlier)
        self._write(refusal, event.event_id, event.shop, occurred)

    def refuse_unread(self, refusal: Refusal) -> None:
        """`decode` refused the record, so hardly anything is known of it."""
        place = self._place_of_refused(refusal.shop) if refusal.shop else None
        if place is not None:
            self.state.batch.reject(place, described(refusal), self.arrived)
        self._write(refusal, refusal.event_id, refusal.shop, None)

    def known_from(self, shop: str, hour: int) -> None:
        """The shop was valid at that hour; a shop that is new is counted from there on."""
        if shop not in self.state.newest:
            self.state.advance(shop, hour)

    def _place_of_refused(self, shop: str) -> int | None:
        """The newest hour of the shop: a refused record's own time is not to be trusted.

        ``None`` for a shop of which no valid record has come yet. Its arrival would be no
        substitute: history that is read today would then be too late from its second record on.
        """
        newest = self.state.newest.get(shop)
        return None if newest is None else self.state.batch.place(shop, newest)

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
                event_id=event_id and event_id[:LONGEST_NAME],
                shop=shop and shop[:LONGEST_NAME],
                occurred_at=occurred,
                arrived_at=self.arrived,
                payload=redacted(record.value, self._shopper_key),
                epoch=where.epoch,
            )
        )
        if refusal.kind == "reject":
            outcome.rejected += 1
            return
        outcome.dead_lettered += 1
        headers: tuple[tuple[str, bytes], ...] = (
            ("streamwatch.topic", where.topic.encode()),
            ("streamwatch.partition", str(where.partition).encode()),
            ("streamwatch.offset", str(record.offset).encode()),
            ("streamwatch.stage", refusal.stage.encode()),
            ("streamwatch.reason", refusal.reason.encode()),
        )
        value = b"" if record.value is None else record.value
        if len(value) > LONGEST_DEAD_LETTER:
            headers = (*headers, ("streamwatch.cut_from", str(len(value)).encode()))
            value = value[:LONGEST_DEAD_LETTER]
        key = record.key and record.key[:LONGEST_KEY]
        topic = where.topic + DEAD_LETTERS
        outcome.messages.append(Message(topic, key, value, headers=headers))
