"""Taking tap rows: which taps stand after a stage, and the row that one makes of a record."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter

import msgspec

from streamwatch.domain.events import EVENT_TYPES, Event, EventType
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.rows import TapRow, Value
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.taps.columns import ADDED, AS_IT_IS, Column, written
from streamwatch.taps.condition import Condition
from streamwatch.taps.filter import compile_filter
from streamwatch.taps.meters import Gate, Limit, limit_of
from streamwatch.taps.select import sample_threshold

LONGEST_ID = 200
"""Characters kept of an event id or a shop: before `validate` they may be of any length, and an
index cannot hold more than some thousand bytes."""


TextHash = Callable[[str, str], str]
"""From a shop and a text to the text's hash under the shop's key."""

Read = Callable[[object], Value]
ReadAll = Callable[[object], tuple[Value, ...]]


def no_values(event: object) -> tuple[Value, ...]:  # noqa: ARG001
    """What a tap without any field of the event reads."""
    return ()


def reads_all(names: tuple[str, ...]) -> ReadAll:
    """A function that reads several fields at once, in a third of the time of one by one."""
    if not names:
        return no_values
    if len(names) == 1:
        only = attrgetter(names[0])
        return lambda event: (only(event),)
    get: ReadAll = attrgetter(*names)
    return get


class Tap(msgspec.Struct, frozen=True):
    """One tap after one stage, ready to take records.

    Attributes:
        own: columns that are fields of the event, as they are.
        added: columns that stages added.
        threshold: event hashes below it are in the sample.
        shaped: columns that are renamed or redacted, and what reads them from the event.
        limit: its rate and budget for each shop, if it has any.
        read: the values of ``own``, all at once.
    """

    name: str
    stage: str
    takes: Condition
    own: tuple[str, ...]
    added: tuple[str, ...]
    threshold: int
    shaped: tuple[tuple[str, Read], ...] = ()
    limit: Limit | None = None
    read: ReadAll = no_values


class Where(msgspec.Struct, frozen=True):
    """The coordinates of a partition that tap rows carry."""

    event_type: str
    topic: str
    partition: int
    epoch: int


def unkeyed(shop: str, text: str) -> str:
    """Stands in for `TextHash` where no row is written: the text itself, marked."""
    return f"{shop}:{text}"


def compile_taps(
    taps: Sequence[TapSettings],
    event_type: EventType,
    hash_text: TextHash = unkeyed,
    order: Sequence[str] = STAGES,
) -> dict[str, tuple[Tap, ...]]:
    """The taps of one event type by stage; stages without one are left out.

    Args:
        taps: of all event types.
        event_type: which.
        hash_text: hashes the columns that are to be hashed.
        order: all stages, the user's own among them.
    """
    added = {name for columns in ADDED.values() for name in columns}
    by_stage: dict[str, list[Tap]] = {}
    for tap in taps:
        if tap.event != event_type.name:
            continue
        takes = compile_filter(tap.filter, EVENT_TYPES[tap.event])
        for stage in tap.stages:
            columns = written(tap, stage, order)
            plain = [one.name for one in columns if one.shape == AS_IT_IS]
            by_stage.setdefault(stage, []).append(
                Tap(
                    name=tap.name,
                    stage=stage,
                    takes=takes,
                    own=(own := tuple(name for name in plain if name not in added)),
                    read=reads_all(own),
                    added=tuple(name for name in plain if name in added),
                    threshold=sample_threshold(tap.sample),
                    shaped=tuple(
                        (one.name, reader(one, hash_text))
                        for one in columns
                        if one.shape != AS_IT_IS
                    ),
                    limit=limit_of(tap),
                )
            )
    return {stage: tuple(found) for stage, found in by_stage.items()}


def reader(column: Column, hash_text: TextHash) -> Read:
    """What reads a column's value from an event.

    >>> from streamwatch.domain.events import WidgetEvent
    >>> from streamwatch.domain.tap_settings import ColumnShape
    >>> age = Column("age", "age", ColumnShape(bucket=10), float)
    >>> reader(age, unkeyed)(WidgetEvent("a", "s", age=37.0))
    30.0
    """
    get, shape = attrgetter(column.field), column.shape
    if shape.hash:

        def hashed(event: object) -> Value:
            text = get(event)
            return None if text is None else hash_text(getattr(event, "shop", ""), str(text))

        return hashed
    if shape.bucket is not None:
        width = shape.bucket

        def bucketed(event: object) -> Value:
            number = get(event)
            return None if number is None else float(number // width * width)

        return bucketed
    return get


def take(
    taps: tuple[Tap, ...],
    where: Where,
    hashed: int,
    event: Event,
    at: tuple[int, int, int | None],
    added: Mapping[str, Value],
    gate: Gate | None = None,
) -> TapRow | None:
    """The row of the taps of one stage for one record, if any of them takes it.

    Of several taps that take it the first writes the row, with the columns of all of them,
    since a stage has one table and a record one row in it.

    Args:
        taps: of this stage.
        where: the partition.
        hashed: the event's hash, see `taps.select`.
        event: the event as it stands after the stage.
        at: offset, arrival and event time (``None`` before it is known), milliseconds.
        added: the columns that stages added.
        gate: the limits of the taps; ``None`` where no tap has any.
    """
    offset, arrived, occurred = at
    shop = event.shop[:LONGEST_ID]
    taking = [
        tap
        for tap in taps
        if hashed < tap.threshold
        and tap.takes(event)
        and (gate is None or tap.limit is None or gate.admits(tap.name, tap.limit, shop, arrived))
    ]
    if not taking:
        return None
    columns: dict[str, Value] = {}
    for tap in taking:
        columns.update(zip(tap.own, tap.read(event)))  # noqa: B905  # twice as fast
        for name in tap.added:
            columns[name] = added[name]
        for name, read in tap.shaped:
            columns[name] = read(event)
    if gate is not None:
        gate.took([tap.name for tap in taking if tap.limit is not None], shop, columns)
    return TapRow(  # by place: by name it takes twice the time
        where.event_type,
        taking[0].stage,
        where.topic,
        where.partition,
        offset,
        event.event_id[:LONGEST_ID],
        shop,
        occurred,
        arrived,
        columns,
        taking[0].name if len(taking) == 1 else ",".join([tap.name for tap in taking]),
        where.epoch,
    )
