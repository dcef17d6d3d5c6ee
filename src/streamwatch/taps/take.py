"""Taking tap rows: which taps stand after a stage, and the row that one makes of a record."""

from collections.abc import Mapping, Sequence

import msgspec

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.rows import TapRow, Value
from streamwatch.domain.settings import TapSettings
from streamwatch.taps.columns import ADDED, written_columns
from streamwatch.taps.filter import Condition, compile_filter
from streamwatch.taps.select import event_hash, sample_threshold

LONGEST_ID = 200
"""Characters kept of an event id or a shop: before `validate` they may be of any length, and an
index cannot hold more than some thousand bytes."""


class Tap(msgspec.Struct, frozen=True):
    """One tap after one stage, ready to take records.

    Attributes:
        own: columns that are fields of the event.
        added: columns that stages added.
        threshold: event hashes below it are in the sample.
    """

    name: str
    stage: str
    takes: Condition
    own: tuple[str, ...]
    added: tuple[str, ...]
    threshold: int


class Where(msgspec.Struct, frozen=True):
    """The coordinates of a partition that tap rows carry."""

    event_type: str
    topic: str
    partition: int
    epoch: int


def compile_taps(taps: Sequence[TapSettings], event_type: EventType) -> dict[str, tuple[Tap, ...]]:
    """The taps of one event type by stage; stages without one are left out."""
    added = {name for columns in ADDED.values() for name in columns}
    by_stage: dict[str, list[Tap]] = {}
    for tap in taps:
        if tap.event != event_type.name:
            continue
        takes = compile_filter(tap.filter, EVENT_TYPES[tap.event])
        for stage in tap.stages:
            columns = written_columns(tap, stage)
            by_stage.setdefault(stage, []).append(
                Tap(
                    name=tap.name,
                    stage=stage,
                    takes=takes,
                    own=tuple(name for name in columns if name not in added),
                    added=tuple(name for name in columns if name in added),
                    threshold=sample_threshold(tap.sample),
                )
            )
    return {stage: tuple(found) for stage, found in by_stage.items()}


class Sampled(msgspec.Struct):
    """The event hash of one record, computed when the first tap asks for it."""

    event_id: str
    hash: int = -1

    def below(self, threshold: int) -> bool:
        """Whether the event is in the sample of that threshold."""
        if self.hash < 0:
            self.hash = event_hash(self.event_id)
        return self.hash < threshold


def take(
    taps: tuple[Tap, ...],
    where: Where,
    sampled: Sampled,
    event: object,
    at: tuple[int, int, int | None],
    added: Mapping[str, Value],
) -> list[TapRow]:
    """The rows of the taps of one stage for one record.

    Of several taps that take it the first writes the row, with the columns of all of them,
    since a stage has one table and a record one row in it.

    Args:
        taps: of this stage.
        where: the partition.
        sampled: the event's hash.
        event: the event as it stands after the stage.
        at: offset, arrival and event time (``None`` before it is known), milliseconds.
        added: the columns that stages added.
    """
    taking = [tap for tap in taps if sampled.below(tap.threshold) and tap.takes(event)]
    if not taking:
        return []
    columns: dict[str, Value] = {name: getattr(event, name) for tap in taking for name in tap.own}
    columns.update((name, added[name]) for tap in taking for name in tap.added)
    offset, arrived, occurred = at
    return [
        TapRow(
            event_type=where.event_type,
            stage=taking[0].stage,
            topic=where.topic,
            partition=where.partition,
            offset=offset,
            event_id=sampled.event_id[:LONGEST_ID],
            shop=getattr(event, "shop", "")[:LONGEST_ID],
            occurred_at=occurred,
            arrived_at=arrived,
            columns=columns,
            tap=",".join(tap.name for tap in taking),
            epoch=where.epoch,
        )
    ]
