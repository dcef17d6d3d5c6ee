"""The passage of one record through COUNT: what it leaves behind on its way."""

from streamwatch.domain.events import Event, Received
from streamwatch.domain.messages import Message
from streamwatch.domain.records import Record, Slice
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.rows import RejectRow
from streamwatch.stages.batch import Mark
from streamwatch.stages.columns import Earlier, Labels
from streamwatch.stages.declared import Numbers
from streamwatch.stages.mapping import LONGEST_NAME
from streamwatch.stages.underway import Underway
from streamwatch.steps.countstate import CountState
from streamwatch.steps.observers import Observers
from streamwatch.steps.redact import described, redacted
from streamwatch.steps.source import Source
from streamwatch.steps.step import Outcome
from streamwatch.taps.take import Where

DEAD_LETTERS = ".dlq"
"""What is appended to a source's topic to name its dead-letter topic."""

LONGEST_DEAD_LETTER = 900_000
"""Bytes of a payload that a dead letter carries: with its headers it must fit what producers and
brokers take by default. A longer one is cut, and its header ``streamwatch.cut_from`` says so."""

TRACE = ("traceparent", "tracestate")
"""Headers of a record that its dead letter carries, so that its trace goes on."""

LONGEST_HEADER = 1_000

LONGEST_KEY = 10_000
"""Bytes of a key that a dead letter carries."""


class Passage:
    """One record on its way: its refusal or its place in the batch, and who looks at it.

    It serves a whole slice, one record after the other; each starts with `begin`.

    Attributes:
        record: the record.
        arrived: its arrival, milliseconds; the newest event time where nobody knows it.
        latest: the latest event time that it may have, milliseconds.
        earlier: what stood before a stage replaced it; empty for nearly every record.
        observed: whether a tap or the flight recorder looks at it; then `look` is to be called
            after each stage, with its name.
        observers: who may look at records.
        state: COUNT's state.
        source: whose record it is.
        now_ms: the time by the clock.
    """

    __slots__ = (
        "_batch", "_outcome", "_progress", "_sent_labels", "_underway", "_where", "arrived",
        "earlier", "latest", "look", "now_ms", "observed", "observers", "record", "source", "state",
    )  # fmt: skip

    def __init__(
        self, source: Source, slice_: Slice, state: CountState, outcome: Outcome, now_ms: int
    ) -> None:
        where = Where(source.event_type.name, slice_.topic, slice_.partition, slice_.epoch)
        self.record: Record
        self.arrived = self.latest = 0
        self.observed = False
        self.state = state
        self.source = source
        self._where = where
        self._outcome = outcome
        self.now_ms = now_ms
        self._progress = state.progress
        self._batch = state.batch
        self._underway = Underway(state.newest)
        self.observers = Observers(source, where, state, outcome, self._underway)
        self.look = self.observers.look
        self.earlier: Earlier = ()
        self._sent_labels: Labels = ()

    def begin(self, record: Record) -> None:
        """Another record sets out."""
        self.record = record
        arrived, progress = record.timestamp, self._progress
        if arrived < 0:
            self.arrived, self.latest = progress.arrival, self.now_ms + self.source.future
            return
        self.arrived, self.latest = arrived, arrived + self.source.future
        if arrived > progress.arrival:  # noqa: PLR1730  # max() takes three times as long
            progress.arrival = arrived

    def reached(self, arrived: int) -> None:
        """Records up to this arrival were taken in."""
        self._progress.arrival = max(self._progress.arrival, arrived)

    def decoded(self, received: Received) -> Underway:
        """The record was decoded; from here on it is under way."""
        underway = self._underway.set_out(received, self.source.declared(received), self.latest)
        self.earlier = ()
        self._sent_labels = self._batch.labels_of(received)
        observers = self.observers
        self.observed = observers.anybody and observers.asks(self.record.offset, self.arrived)
        return underway

    def replaced(self, stage: str, before: Event) -> None:
        """A stage that should leave the event alone gave another: keep what was before it.

        Then `normalise` is one of them as well, so that what it does to labels is not taken for
        the work of an earlier one.
        """
        underway, source = self._underway, self.source
        numbers: Numbers
        if isinstance(before, Received):
            numbers = underway.declared
            if isinstance(underway.event, Received):
                underway.declared = source.declared(underway.event)
        else:
            numbers = self._batch.numbers_of(before)
        point, labels = source.points.index(stage), self._batch.labels_of(before)
        self.earlier = (*self.earlier, (point, numbers, labels))

    def count(self) -> None:
        """The record passed every stage."""
        underway, batch = self._underway, self._batch
        event, hour = underway.event, underway.hour
        if hour > underway.newest.get(event.shop, -1):
            self.state.advance(event.shop, hour)
        if self.record.timestamp < 0 and underway.occurred is not None:
            self.arrived = underway.occurred
            self._progress.arrival = max(self._progress.arrival, self.arrived)
        place = batch.places[event.shop, hour]
        batch.count(place, self.arrived, underway.declared, event, self.earlier, self._sent_labels)
        if underway.marks:
            batch.marks += [Mark(place, name) for name in underway.marks]

    def note(self, hour: int) -> None:
        """The record's numbers count for its stage, and for nothing else."""
        event, declared = self._underway.event, self._underway.declared
        self.state.advance(event.shop, hour)
        self._batch.note(self._batch.place(event.shop, hour), self.arrived, declared, event)

    def refuse(self, stage: str, refusal: Refusal) -> None:
        """A stage behind `decode` refused the record."""
        underway, points = self._underway, self.source.points
        event, occurred = underway.event, underway.occurred
        if occurred is not None and event.shop not in underway.newest:
            # The shop and the time are valid: a shop that is new is counted from there on.
            self.state.advance(event.shop, self.source.hour_of(event.shop, occurred))
        place = self._place_of_refused(event.shop)
        if place is not None:
            self._batch.drop(
                place,
                self.arrived,
                underway.declared,
                event,
                points.index(stage) - 1,
                described(refusal),
                self.earlier,
            )
        self._write(refusal, event.event_id, event.shop, occurred)

    def refuse_unread(self, refusal: Refusal) -> None:
        """`decode` refused the record, so hardly anything is known of it."""
        place = self._place_of_refused(refusal.shop) if refusal.shop else None
        if place is not None:
            self._batch.reject(place, described(refusal), self.arrived)
        self._write(refusal, refusal.event_id, refusal.shop, None)

    def _place_of_refused(self, shop: str) -> int | None:
        """The newest hour of the shop: a refused record's own time is not to be trusted.

        ``None`` for a shop of which no valid record has come yet. Its arrival would be no
        substitute: history that is read today would then be too late from its second record on.
        """
        newest = self.state.newest.get(shop)
        return None if newest is None else self._batch.place(shop, newest)

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
                payload=redacted(record.value, self.source.shopper_key),
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
            *_trace_of(record),
        )
        value = b"" if record.value is None else bytes(record.value)
        if len(value) > LONGEST_DEAD_LETTER:
            headers = (*headers, ("streamwatch.cut_from", str(len(value)).encode()))
            value = value[:LONGEST_DEAD_LETTER]
        key = record.key and record.key[:LONGEST_KEY]
        topic = where.topic + DEAD_LETTERS
        outcome.messages.append(Message(topic, key, value, headers=headers))


def _trace_of(record: Record) -> tuple[tuple[str, bytes], ...]:
    """The headers that name the trace of a record; a line of a file has none."""
    return tuple(
        (name, value)
        for name, value in getattr(record, "headers", ())
        if name in TRACE and value is not None and len(value) <= LONGEST_HEADER
    )
