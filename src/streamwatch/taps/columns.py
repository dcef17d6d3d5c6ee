"""Which columns a tap row has, by event type and stage: one list for files, tables and steps."""

from collections.abc import Sequence

import msgspec

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.tap_settings import ColumnShape, TapSettings

EVERY_ROW = ("event_id", "shop", "occurred_at", "arrived_at", "topic", "partition", "offset", "tap")
"""What every tap row holds as an attribute of its own, so never as a column."""

IDENTITY = "shopper"
"""The one field that names a person; no stage has a column for it."""

ADDED: dict[str, dict[str, type]] = {
    "pseudonymise": {"pseudonym": str},
    "segment": {"bucket": int, "segments": str},
}
"""What a stage adds to the event's own fields: ``bucket`` is the start of the bucket in
milliseconds since 1970 UTC, ``segments`` their names joined by commas."""


class Column(msgspec.Struct, frozen=True):
    """A column that a tap writes: its name, the field that it is made of, how, and its type."""

    name: str
    field: str
    shape: ColumnShape
    kind: type


AS_IT_IS = ColumnShape()


def tap_columns(
    event_type: EventType, stage: str, order: Sequence[str] = STAGES
) -> dict[str, type]:
    """The columns of a tap after a stage: name → ``str``, ``float`` or ``int``.

    They come in the order of the event's fields, then what the stages up to this one added.
    Left out are the shopper (never written), what every row holds anyway (`EVERY_ROW`), and
    from `normalise` on ``time``, which is ``occurred_at`` by then. Up to `validate`, ``time``
    is the text of what the client sent.

    Args:
        event_type: of the tap.
        stage: after which it stands.
        order: all stages, the user's own among them.

    Raises:
        ValueError: no stage has that name.

    >>> from streamwatch.domain.events import RETURN
    >>> list(tap_columns(RETURN, "decode"))[:3], tap_columns(RETURN, "segment")["bucket"]
    (['time', 'order_id', 'product'], <class 'int'>)
    """
    passed = tuple(order)[: tuple(order).index(stage) + 1]
    left_out = {"time", *EVERY_ROW} if "normalise" in passed else set(EVERY_ROW)
    columns: dict[str, type] = {
        name: float if name in event_type.numbers else str
        for name in event_type.event.__struct_fields__
        if name not in left_out
    }
    for name in passed:
        columns.update(ADDED.get(name, {}))
    return columns


def written(tap: TapSettings, stage: str, order: Sequence[str] = STAGES) -> tuple[Column, ...]:
    """The columns that a tap writes after one of its stages: those it names, else all.

    A tap that drops a field writes all others.

    >>> tap = TapSettings("returns", "return", ("decode",), columns=("reason",),
    ...                   shapes={"reason": ColumnShape(rename="why")})
    >>> [(column.name, column.field) for column in written(tap, "decode")]
    [('why', 'reason')]
    """
    there = tap_columns(EVENT_TYPES[tap.event], stage, order)
    dropped = {field for field, shape in tap.shapes.items() if shape.drop}
    named = there if dropped or not tap.columns else tap.columns
    columns = []
    for field in named:
        if field in there and field not in dropped:
            shape = tap.shapes.get(field, AS_IT_IS)
            kind = str if shape.hash else there[field]
            columns.append(Column(shape.rename or field, field, shape, kind))
    return tuple(columns)


def written_columns(tap: TapSettings, stage: str, order: Sequence[str] = STAGES) -> tuple[str, ...]:
    """Their names alone."""
    return tuple(column.name for column in written(tap, stage, order))
