"""What a file of ``tap_config`` says, as plain frozen values."""

from typing import Literal

import msgspec


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which records a tap takes: every given condition must hold.

    Attributes:
        shops: only these shops; empty for all.
        equals: field → value.
        ranges: numeric field → lowest and highest value.
        expression: a condition in words, such as ``height < 100 and shop in ('a', 'b')``.
    """

    shops: tuple[str, ...] = ()
    equals: dict[str, str] = {}
    ranges: dict[str, tuple[float, float]] = {}
    expression: str = ""


class ColumnShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a tap writes one field.

    Attributes:
        rename: the column's name, instead of the field's.
        drop: the field is left out; the tap then writes all others.
        hash: of a text, its hash under the shop's key: equal texts stay equal within the shop.
        bucket: of a number, the lower end of the span of this width that it lies in.
    """

    rename: str | None = None
    drop: bool = False
    hash: bool = False
    bucket: float | None = None


class TapSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tap point.

    Attributes:
        name: the file's name without its ending.
        event: the event type.
        stages: after which stages.
        columns: which fields; empty for all that hold no identity.
        filter: which records.
        sample: share of the events, chosen by a hash of the event id, so that the same
            events are taken at every stage and in every worker.
        retention: how long rows are kept, milliseconds.
        shapes: field → how it is written, where that is not as it is.
        rate: most events that are taken of a shop in a second of arrival, by each source
            partition; ``None`` for all.
        budget: bytes that are taken of a shop in a day of arrival (UTC), likewise.
        max_rows, max_bytes: of the rows in a table, the newest that are kept.
        on_slow: ``shed`` rows while the database is slow, or ``hold`` on to them.
    """

    name: str
    event: Literal["widget-event", "purchase", "return"]
    stages: tuple[str, ...]
    columns: tuple[str, ...] = ()
    filter: Filter = Filter()
    sample: float = 1.0
    retention: int = 30 * 86_400_000
    shapes: dict[str, ColumnShape] = {}
    rate: int | None = None
    budget: int | None = None
    max_rows: int | None = None
    max_bytes: int | None = None
    on_slow: Literal["shed", "hold"] = "shed"
