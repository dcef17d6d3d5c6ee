"""Taps, ready to take records: which stand after a stage, and what reads their columns."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter, itemgetter

import msgspec

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.rows import Value
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.taps.columns import ADDED, AS_IT_IS, Column, written
from streamwatch.taps.condition import Condition
from streamwatch.taps.filter import compile_filter
from streamwatch.taps.meters import Limit, limit_of
from streamwatch.taps.select import sample_threshold

TextHash = Callable[[str, str], str]
"""From a shop and a text to the text's hash under the shop's key."""

Read = Callable[[object], Value]
ReadAll = Callable[[object], tuple[Value, ...]]
Added = Mapping[str, Value]
"""What stages added to a record, by column."""

Pick = Callable[[Added], tuple[Value, ...]]


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


def _picks(names: tuple[str, ...]) -> Pick:
    if len(names) == 1:
        only = names[0]
        return lambda added: (added[only],)
    get: Pick = itemgetter(*names)
    return get


class Tap(msgspec.Struct, frozen=True):
    """One tap after one stage, ready to take records.

    Attributes:
        own: columns that are fields of the event, as they are.
        added: columns that stages added.
        threshold: event hashes below it are in the sample.
        shaped: columns that are renamed or redacted, and what reads them from the event.
        limit: its rate and budget for each shop, if it has any.
    """

    name: str
    stage: str
    takes: Condition
    own: tuple[str, ...]
    added: tuple[str, ...]
    threshold: int
    shaped: tuple[tuple[str, Read], ...] = ()
    limit: Limit | None = None


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
                    own=tuple(name for name in plain if name not in added),
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


class Layout(msgspec.Struct, frozen=True):
    """The columns of a row that the same taps take, and what reads them.

    Attributes:
        names: of all of them.
        read: reads those that are fields of the event, all at once; they come first.
        added: picks those that stages added, which follow; ``None`` if there are none.
        shaped: what reads those that are renamed or redacted; they come last.
        limited: the taps that have a limit.
    """

    names: tuple[str, ...]
    read: ReadAll
    added: Pick | None
    shaped: tuple[Read, ...]
    limited: tuple[str, ...]


@lru_cache(maxsize=256)
def layout_of(taps: tuple[Tap, ...]) -> Layout:
    """The columns of all of them; of one that several write the last one's counts."""
    readers: dict[str, Read | None] = {}
    for tap in taps:
        readers.update(dict.fromkeys((*tap.own, *tap.added)))
        readers.update(tap.shaped)
    added = {one for tap in taps for one in tap.added}
    plain = [name for name, read in readers.items() if read is None]
    own = tuple(name for name in plain if name not in added)
    more = tuple(name for name in plain if name in added)
    shaped = {name: read for name, read in readers.items() if read is not None}
    return Layout(
        names=(*own, *more, *shaped),
        read=reads_all(own),
        added=_picks(more) if more else None,
        shaped=tuple(shaped.values()),
        limited=tuple(tap.name for tap in taps if tap.limit is not None),
    )
