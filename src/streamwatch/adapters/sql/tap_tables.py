"""The tap tables: one for each event type and stage.

Those of the built-in stages are known beforehand. Those of the user's own stages, and columns
that a tap renames, are added to what is there by `tap_schema`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Double, Index, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from streamwatch.adapters.sql.tables import KEEP, METADATA, count, integer, text, time
from streamwatch.adapters.sql.timestamps import Timestamp
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.refusals import STAGES
from streamwatch.taps.columns import tap_columns

TIMES = frozenset({"bucket"})
"""Columns that are milliseconds in a tap row and a timestamp in its table."""

FIXED = (
    "topic",
    "partition",
    "epoch",
    "record_offset",
    "arrived_day",
    "event_id",
    "shop",
    "occurred_at",
    "arrived_at",
    "tap",
    "overflow",
)
"""The columns that begin every tap table; those of the event follow."""

COMMENTS: Mapping[str, str] = {
    "time": "the event's time as the client sent it",
    "product": "the product",
    "category": "its category",
    "gender": "for whom it is made",
    "height": "body height: in the client's unit before normalise, in cm from there on",
    "height_unit": "the unit of height",
    "weight": "body weight: in the client's unit before normalise, in kg from there on",
    "weight_unit": "the unit of weight",
    "age": "age in years",
    "recommended_size": "the size that was recommended",
    "fit_preference": "how the shopper likes it to fit",
    "app_version": "the version of the client's app",
    "order_id": "the client's own id of the order",
    "line": "the line of the order",
    "size": "the size",
    "quantity": "pieces",
    "price": "price of one piece",
    "currency": "of the price",
    "reason": "why it came back",
    "pseudonym": "the shopper's keyed hash, the same within a shop",
    "bucket": "start of the hour in the shop's zone",
    "segments": "the cuts of the shop that it belongs to",
}
"""Column of an event → what it means."""

_TYPES: Mapping[type, type[TypeEngine[Any]]] = {
    str: Text,
    int: BigInteger,
    float: Double,
    bool: Boolean,
}


def table_name(event_type: str, stage: str) -> str:
    """The name of a tap table.

    >>> table_name("widget-event", "decode")
    'tap_widget_event_decode'
    """
    return f"tap_{event_type}_{stage}".replace("-", "_")


def event_columns(event_type: str, stage: str, order: Sequence[str] = STAGES) -> dict[str, type]:
    """The columns of a tap table that belong to the event: name → type."""
    columns = tap_columns(EVENT_TYPES[event_type], stage, order)
    return {name: kind for name, kind in columns.items() if name not in FIXED}


def event_column(name: str, kind: type) -> Column[Any]:
    """One column of an event; ``kind`` is the type of its values."""
    type_ = Timestamp if name in TIMES else _TYPES[kind]
    return Column(name, type_, nullable=True, comment=COMMENTS.get(name))


def make_tap_table(
    metadata: MetaData, event_type: str, stage: str, columns: Mapping[str, type]
) -> Table:
    """A tap table with the event's columns as they are given: name → type of the values."""
    return Table(
        table_name(event_type, stage),
        metadata,
        text("topic", "Kafka topic, or file", key=True),
        integer("partition", "partition number", key=True),
        integer("epoch", "counts how often the topic was deleted and made anew", key=True),
        count("record_offset", "the record's offset in the partition", key=True),
        Column(
            "arrived_day",
            Date,
            primary_key=True,
            comment="UTC day of the arrival; 1970-01-01 where nobody knows it",
        ),
        text("event_id", "the client's own id of the event"),
        text("shop", "the shop"),
        time("occurred_at", "event time; NULL before it is known", nullable=True),
        time("arrived_at", "when it reached the broker", nullable=True),
        text("tap", "the tap that took it"),
        Column(
            "overflow",
            JSON().with_variant(JSONB(), "postgresql"),
            nullable=True,
            comment="values without a column, or of another type than theirs",
        ),
        *(event_column(name, kind) for name, kind in columns.items()),
        Index(None, "shop", "occurred_at"),
        Index(None, "event_id"),
        comment=f"Copies of the {event_type} records after the stage {stage}, as taps took them",
        info={**KEEP, "kinds": dict(columns), "tap": (event_type, stage)},
        postgresql_partition_by="RANGE (arrived_day)",
    )


TAP_TABLES: Mapping[tuple[str, str], Table] = {
    (event_type, stage): make_tap_table(
        METADATA, event_type, stage, event_columns(event_type, stage)
    )
    for event_type in EVENT_TYPES
    for stage in STAGES
}
"""(event type, stage) → table."""
