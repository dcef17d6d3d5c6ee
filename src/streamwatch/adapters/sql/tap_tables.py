"""The tap tables: one typed table for each event type and stage."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Index, Table, Text
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
    "event_id",
    "shop",
    "occurred_at",
    "arrived_at",
    "tap",
    "overflow",
)
"""The columns that begin every tap table; those of the event follow."""

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


def event_columns(event_type: str, stage: str) -> dict[str, type]:
    """The columns of a tap table that belong to the event: name → type."""
    columns = tap_columns(EVENT_TYPES[event_type], stage)
    return {name: kind for name, kind in columns.items() if name not in FIXED}


def _tap_table(event_type: str, stage: str) -> Table:
    return Table(
        table_name(event_type, stage),
        METADATA,
        text("topic", "Kafka topic, or file", key=True),
        integer("partition", "partition number", key=True),
        integer("epoch", "counts how often the topic was deleted and made anew", key=True),
        count("record_offset", "the record's offset in the partition", key=True),
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
        *(
            Column(name, Timestamp if name in TIMES else _TYPES[kind], nullable=True)
            for name, kind in event_columns(event_type, stage).items()
        ),
        Index(None, "shop", "occurred_at"),
        Index(None, "event_id"),
        comment=f"Copies of the {event_type} records after the stage {stage}, as taps took them",
        info=KEEP,
    )


TAP_TABLES: Mapping[tuple[str, str], Table] = {
    (event_type, stage): _tap_table(event_type, stage)
    for event_type in EVENT_TYPES
    for stage in STAGES
}
"""(event type, stage) → table."""
