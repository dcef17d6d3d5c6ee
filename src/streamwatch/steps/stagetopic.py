"""A stage in another service: its topic's records become tap rows and stage statistics.

It is COUNT with a shorter journey: decode, then the place and the numbers. Nothing is judged and
nothing is counted as volume; what is noted reaches JUDGE as partials whose cells hold statistics
of this one stage only, and is merged there with the others of the shop and hour.
"""

import msgspec

from streamwatch.domain.records import Record
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.batch import Batch
from streamwatch.stages.mapping import LONGEST_NAME
from streamwatch.stages.validate import NUL
from streamwatch.stages.when import EARLIEST_MS, event_time_ms
from streamwatch.steps.count import CountStep
from streamwatch.steps.passage import Passage
from streamwatch.steps.source import Source


class StageTopicStep(CountStep):
    """The step of one partition of such a topic; see `steps.step.Step`."""

    def _batch(self) -> Batch:
        # No point is the last, so that no record is counted.
        return Batch(self.source.event_type, self.source.points, counted=len(self.source.points))

    def _journey(self, passage: Passage, record: Record) -> None:
        """The way of one record: into its tap table and the statistics of its stage."""
        source, stage = self.source, self.source.stage
        passage.begin(record)
        received = source.decode(record.value)
        if isinstance(received, Refusal):
            return passage.refuse_unread(
                msgspec.structs.replace(received, kind="reject", stage=stage)
            )
        event_id, shop = received.event_id, received.shop
        if not (0 < len(event_id) <= LONGEST_NAME and 0 < len(shop) <= LONGEST_NAME):
            return passage.refuse_unread(Refusal("reject", stage, "bad-id", "event_id"))
        if NUL in event_id or NUL in shop:
            return passage.refuse_unread(Refusal("reject", stage, "bad-id", "event_id"))
        occurred = event_time_ms(received.time, source.zone_of, shop)
        if occurred is None:
            occurred = passage.latest - source.future
        newest = passage.state.newest.get(shop, 0)
        hour = source.hour_of(shop, occurred)
        if not EARLIEST_MS <= occurred <= passage.latest or occurred < newest - source.horizon:
            late = "too-late" if occurred < passage.latest else "future-time"
            return passage.refuse_unread(Refusal("reject", stage, late, "time", event_id, shop))
        passage.decoded(received).occurred = occurred
        if passage.observed:
            passage.look(stage)
        return passage.note(hour)


def step_of(source: Source, partition: int) -> CountStep:
    """The step that reads a source's partition."""
    return StageTopicStep(source, partition) if source.stage else CountStep(source, partition)
