"""COUNT: the journey of an event, top to bottom, from bytes to cells.

    decode → validate → normalise → (own) → pseudonymise → (own) → segment → aggregate

State: the cells of one source partition. Out: partial readings for JUDGE, tap rows, rejects,
dead letters. Every record ends in exactly one place.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo

import msgspec

from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.events import Event, EventType, Received
from streamwatch.domain.messages import READINGS_TOPIC, Message, Partial
from streamwatch.domain.records import Slice
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.rows import Value
from streamwatch.domain.statevalue import pack
from streamwatch.stages.aggregate import aggregate
from streamwatch.stages.batch import POINTS, Batch, Place
from streamwatch.stages.bounds import add_cells
from streamwatch.stages.custom import OwnStage
from streamwatch.stages.declared import Numbers
from streamwatch.stages.decode import Decode
from streamwatch.stages.normalise import Normalise, Normalised
from streamwatch.stages.pseudonymise import Pseudonymise, Pseudonymised
from streamwatch.stages.segment import HourOf, Segment
from streamwatch.stages.validate import Validate
from streamwatch.steps.countstate import (
    METERS,
    PROGRESS,
    VERSION,
    CountState,
    key_of,
    place_of,
)
from streamwatch.steps.passage import Passage
from streamwatch.steps.step import Outcome, Settled
from streamwatch.taps.live import ByStage, LiveTaps
from streamwatch.taps.recorder import Recorder
from streamwatch.taps.take import Where

BATCH_ROWS = 20_000
"""Noted records after which they are summed, so that memory stays bounded between flushes."""

NOTHING_ADDED: Mapping[str, Value] = {}
_encode = msgspec.msgpack.Encoder().encode


class Source(msgspec.Struct, frozen=True):
    """One input topic with its compiled stages.

    Attributes:
        declared: reads the numbers that a record declares, in canonical units.
        labels: the labels that cut a shop into segments.
        taps: all taps, as they stand now.
        horizon, future: see `domain.settings.Settings`.
        hour_of: the start of a shop's hour.
        shopper_key: the top-level key under which the client's JSON names the shopper.
        own_before, own_behind: the user's own stages before `pseudonymise` and behind it.
        points: the stages after which statistics are kept.
        recorder: the flight recorder, if there is one.
        stage: the stage whose results the topic holds, if another service writes it.
        zone_of: the time zone of a shop.
    """

    topic: str
    event_type: EventType
    decode: Decode
    declared: Callable[[Received], Numbers]
    validate: Validate
    normalise: Normalise
    pseudonymise: Pseudonymise
    segment: Segment
    labels: tuple[str, ...]
    taps: LiveTaps
    horizon: int
    future: int
    hour_of: HourOf
    shopper_key: str = "shopper"
    own_before: tuple[OwnStage, ...] = ()
    own_behind: tuple[OwnStage, ...] = ()
    points: tuple[str, ...] = POINTS
    recorder: Recorder | None = None
    stage: str = ""
    zone_of: Callable[[str], tzinfo] = lambda shop: UTC  # noqa: ARG005  # only stage topics ask


class CountStep:
    """COUNT for one source partition; see `steps.step.Step`."""

    name = "count"
    accounted = True

    def __init__(self, source: Source, partition: int) -> None:
        self.source = source
        self.partition = partition

    def restore(self, states: Mapping[str, bytes]) -> CountState:
        """The cells as they were at the last flush."""
        return CountState(self._batch(), states)

    def _batch(self) -> Batch:
        return Batch(self.source.event_type, self.source.points)

    def process(self, state: CountState, slice_: Slice, now_ms: int) -> Outcome:
        """Take every record of a slice through the stages, and note where it ends."""
        outcome = Outcome()
        source = self.source
        where = Where(source.event_type.name, slice_.topic, slice_.partition, slice_.epoch)
        taps = source.taps.of(source.event_type.name)
        passage = Passage(where, outcome, state, now_ms, source.shopper_key, taps, source.recorder)
        for record in slice_.records:
            passage.begin(record)
            self._journey(passage, taps)
        state.progress.received = now_ms
        if len(state.batch) >= BATCH_ROWS:
            self._sum(state)
        return outcome

    def _journey(  # noqa: C901, PLR0912, PLR0915  # the whole way stands on one screen
        self, passage: Passage, taps: ByStage
    ) -> None:
        """The way of one record, from bytes to a noted row of the batch."""
        source = self.source

        received = source.decode(passage.record.value)
        if isinstance(received, Refusal):
            return passage.refuse_unread(received)
        if taps:
            taps = passage.sampled_taps(received)
        if "decode" in taps:
            passage.tap(taps["decode"], received)
        declared = source.declared(received)

        validated = source.validate(received, declared, passage.arrived_or_now + source.future)
        if isinstance(validated, Refusal):
            return passage.refuse(validated, received, declared, "decode")
        if validated.record is not received:
            passage.replaced("validate", declared)
            received, declared = validated.record, source.declared(validated.record)
        passage.valid(received, validated.occurred)
        if "validate" in taps:
            passage.tap(taps["validate"], received, validated.occurred)

        normalised = source.normalise(validated)
        if isinstance(normalised, Refusal):
            occurred = validated.occurred
            passage.known_from(received.shop, source.hour_of(received.shop, occurred))
            return passage.refuse(normalised, received, declared, "validate", occurred)
        if "normalise" in taps:
            passage.tap(taps["normalise"], normalised.event, normalised.occurred)
        if passage.recorded:
            passage.keep("normalise", normalised.event, normalised.occurred)
        if source.own_before:
            event = self._own_stages(passage, taps, source.own_before, normalised, declared)
            if event is None:
                return None
            normalised = msgspec.structs.replace(normalised, event=event)

        pseudonymised = source.pseudonymise(normalised)
        if pseudonymised.event is not normalised.event:
            passage.replaced("pseudonymise", passage.numbers_of(normalised.event))
        added: dict[str, Value] = {"pseudonym": pseudonymised.pseudonym}
        if "pseudonymise" in taps:
            passage.tap(taps["pseudonymise"], pseudonymised.event, pseudonymised.occurred, added)
        if source.own_behind:
            found = self._own_stages(
                passage, taps, source.own_behind, pseudonymised, declared, added
            )
            if found is None:
                return None
            pseudonymised = msgspec.structs.replace(pseudonymised, event=found)

        newest = passage.state.newest.get(pseudonymised.event.shop, 0)
        segmented = source.segment(pseudonymised, newest - source.horizon)
        if isinstance(segmented, Refusal):
            event, occurred = pseudonymised.event, pseudonymised.occurred
            return passage.refuse(segmented, event, declared, source.points[-2], occurred)
        if segmented.event is not pseudonymised.event:
            passage.replaced("segment", passage.numbers_of(pseudonymised.event))
        if "segment" in taps or "aggregate" in taps:
            added["bucket"] = segmented.hour
            added["segments"] = segmented.segments(source.labels)
            passage.tap(taps.get("segment", ()), segmented.event, segmented.occurred, added)
            passage.tap(taps.get("aggregate", ()), segmented.event, segmented.occurred, added)

        if passage.recorded:
            passage.keep("segment", segmented.event, segmented.occurred)

        passage.count(segmented, declared)
        return None

    def _own_stages(
        self,
        passage: Passage,
        taps: ByStage,
        stages: tuple[OwnStage, ...],
        record: Normalised | Pseudonymised,
        declared: Numbers,
        added: Mapping[str, Value] = NOTHING_ADDED,
    ) -> Event | None:
        """The event after the user's own stages; ``None`` if one of them refused it."""
        event, occurred = record.event, record.occurred
        points = self.source.points
        for stage in stages:
            result = stage.run(event, occurred)
            if isinstance(result, Refusal):
                shop, passed = event.shop, points[points.index(stage.name) - 1]
                passage.known_from(shop, self.source.hour_of(shop, occurred))
                passage.refuse(result, event, declared, passed, occurred)
                return None
            if result is not event:
                passage.replaced(stage.name, passage.numbers_of(event))
                event = result
            if stage.name in taps:
                passage.tap(taps[stage.name], event, occurred, added)
            if passage.recorded:
                passage.keep(stage.name, event, occurred)
        return event

    def settle(self, state: CountState, fence: int, epoch: int, now_ms: int) -> Settled:  # noqa: ARG002
        """The changed cells as state values, and as partial readings for JUDGE."""
        self._sum(state)
        settled = Settled()
        changed = sorted(state.changed)
        for place in changed:
            settled.messages.append(self._partial(state, place, fence, epoch))
            settled.changes[key_of(place)] = state.encoded(place)
        for place in state.turn_over(self.source.horizon + HOUR_MS):
            settled.changes[key_of(place)] = None
        state.settled_arrival = state.progress.arrival
        state.progress.settled = [key_of(place) for place in changed]
        settled.changes[PROGRESS] = pack(VERSION, state.progress)
        if state.meters.changed:
            state.meters.forget(state.progress.arrival)
            settled.changes[METERS] = pack(VERSION, state.meters.readings)
            state.meters.changed = False
        state.changed.clear()
        return settled

    def announce(self, state: CountState, fence: int, epoch: int) -> list[Message]:
        """The partial readings of the last flush, which a crash may have left unpublished."""
        places = [place_of(key) for key in state.progress.settled]
        return [self._partial(state, place, fence, epoch) for place in places]

    def _sum(self, state: CountState) -> None:
        """Move the noted records of the batch into the cells."""
        if not len(state.batch):
            return
        found = aggregate(state.batch, self.source.event_type, self.source.labels)
        state.batch = self._batch()
        for place, cells in found.items():
            add_cells(state.cells(place), cells)
            state.changed.add(place)

    def _partial(self, state: CountState, place: Place, fence: int, epoch: int) -> Message:
        shop, hour = place
        partial = Partial(
            event_type=self.source.event_type.name,
            topic=self.source.topic,
            partition=self.partition,
            shop=shop,
            hour=hour,
            version=fence,
            newest=state.newest[shop],
            cells=state.cells(place),
            epoch=epoch,
        )
        return Message(READINGS_TOPIC, shop.encode(), _encode(partial))
