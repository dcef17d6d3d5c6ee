"""COUNT: the journey of an event, top to bottom, from bytes to cells.

    decode → validate → normalise → pseudonymise → segment → aggregate

The user's own stages stand anywhere between them. `CountStep._journey` is the way of one record;
those that need nothing special are taken through the same stages side by side (`steps.abreast`).

State: the cells of one source partition. Out: partial readings for JUDGE, tap rows, rejects,
dead letters. Every record ends in exactly one place.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.messages import READINGS_TOPIC, Message, Partial
from streamwatch.domain.records import Record, Slice
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.statevalue import pack
from streamwatch.stages.aggregate import aggregate
from streamwatch.stages.batch import Batch, Place
from streamwatch.stages.bounds import add_cells
from streamwatch.steps.abreast import FEWEST, take_abreast
from streamwatch.steps.countstate import (
    METERS,
    PROGRESS,
    VERSION,
    CountState,
    key_of,
    place_of,
)
from streamwatch.steps.passage import Passage
from streamwatch.steps.source import Source
from streamwatch.steps.step import Outcome, Settled

_encode = msgspec.msgpack.Encoder().encode


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
        if source.translate is not None:
            slice_ = source.translate(slice_)
        passage = Passage(source, slice_, state, outcome, now_ms)
        abreast = source.abreast
        if abreast is None or abreast.stages is not source.stages or len(slice_.records) < FEWEST:
            for record in slice_.records:
                self._journey(passage, record)
        else:
            take_abreast(abreast, passage, slice_.records, partial(self._journey, passage))
        outcome.aggregated = len(slice_.records) - outcome.rejected - outcome.dead_lettered
        state.progress.received = now_ms
        if state.has_full_batch:
            self._sum(state)
        outcome.is_urgent = state.is_crowded
        return outcome

    def _journey(self, passage: Passage, record: Record) -> None:
        """The way of one record, from bytes to a noted row of the batch."""
        source = self.source
        passage.begin(record)
        received = source.decode(record.value)
        if isinstance(received, Refusal):
            return passage.refuse_unread(received)
        underway = passage.decoded(received)
        if passage.observed:
            passage.look("decode")
        for name, stage in source.stages:
            before = underway.event
            refusal = stage(underway)
            if refusal is not None:
                return passage.refuse(name, refusal)
            if underway.event is not before and (name != "normalise" or passage.earlier):
                passage.replaced(name, before)
            if passage.observed:
                passage.look(name)
        if passage.observed:
            passage.look("aggregate")
        return passage.count()

    def settle(self, state: CountState, fence: int, epoch: int, now_ms: int) -> Settled:  # noqa: ARG002
        """The changed cells as state values, and as partial readings for JUDGE."""
        self._sum(state)
        settled = Settled()
        changed = sorted(state.changed)
        for place in changed:
            encoded = state.encoded(place)
            settled.changes[key_of(place)] = encoded
            settled.messages.append(self._partial(state, place, encoded, fence, epoch))
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
        return [self._partial(state, place, state.encoded(place), fence, epoch) for place in places]

    def _sum(self, state: CountState) -> None:
        """Move the noted records of the batch into the cells."""
        if not len(state.batch):
            return
        found = aggregate(state.batch, self.source.event_type, self.source.labels)
        state.batch = self._batch()
        for place, cells in found.items():
            add_cells(state.cells(place), cells)
            state.changed.add(place)

    def _partial(
        self, state: CountState, place: Place, encoded: bytes, fence: int, epoch: int
    ) -> Message:
        shop, hour = place
        # The message says what the state says, so it is encoded once.
        cells: Any = msgspec.Raw(memoryview(encoded)[1:])
        partial = Partial(
            event_type=self.source.event_type.name,
            topic=self.source.topic,
            partition=self.partition,
            shop=shop,
            hour=hour,
            version=fence,
            newest=state.newest[shop],
            cells=cells,
            epoch=epoch,
        )
        return Message(READINGS_TOPIC, shop.encode(), _encode(partial))
