"""Tap tables by day of arrival, views of neighbouring stages and of daily statistics.

A migration never changes once it is released, so it repeats what it needs and imports
nothing of the current tables.
"""

from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

T, N, AT = "text", "number", "time"

CM = "body height: in the client's unit before normalise, in cm from there on"
KG = "body weight: in the client's unit before normalise, in kg from there on"
COLUMNS = {
    "time": (T, "the event's time as the client sent it"),
    "product": (T, "the product"),
    "category": (T, "its category"),
    "gender": (T, "for whom it is made"),
    "height": (N, CM),
    "height_unit": (T, "the unit of height"),
    "weight": (N, KG),
    "weight_unit": (T, "the unit of weight"),
    "age": (N, "age in years"),
    "recommended_size": (T, "the size that was recommended"),
    "fit_preference": (T, "how the shopper likes it to fit"),
    "app_version": (T, "the version of the client's app"),
    "order_id": (T, "the client's own id of the order"),
    "line": (T, "the line of the order"),
    "size": (T, "the size"),
    "quantity": (N, "pieces"),
    "price": (N, "price of one piece"),
    "currency": (T, "of the price"),
    "reason": (T, "why it came back"),
    "pseudonym": (T, "the shopper's keyed hash, the same within a shop"),
    "bucket": (AT, "start of the hour in the shop's zone"),
    "segments": (T, "the cuts of the shop that it belongs to"),
}
EVENTS = {
    "widget_event": (
        "widget-event",
        (
            "product category gender height height_unit weight weight_unit age recommended_size "
            "fit_preference app_version"
        ),
    ),
    "purchase": (
        "purchase",
        "order_id line product category gender size quantity price currency app_version",
    ),
    "return": ("return", "order_id product category gender size quantity reason app_version"),
}
STAGES = {
    "decode": ("time", ""),
    "validate": ("time", ""),
    "normalise": ("", ""),
    "pseudonymise": ("", "pseudonym"),
    "segment": ("", "pseudonym bucket segments"),
    "aggregate": ("", "pseudonym bucket segments"),
}
"""Stage → the columns before and behind the event's own."""

FIXED = "topic partition epoch record_offset event_id shop occurred_at arrived_at tap overflow"
KEYS = ("topic", "partition", "epoch", "record_offset")
SAME = " AND ".join(f"a.{key} = b.{key}" for key in KEYS)


def upgrade() -> None:
    """Make the tables anew with the day in their key, and the views."""
    _drop_views()
    for event in EVENTS:
        for stage in STAGES:
            _rebuild(event, stage, by_day=True)
    _journeys(" AND n.arrived_day = d.arrived_day")
    for event in EVENTS:
        stages = list(STAGES)
        for before, after in pairwise(stages):
            op.execute(_neighbours(event, before, after))
        op.execute(_daily(event))


def downgrade() -> None:
    """Make the tables as they were; what own stages had goes."""
    _drop_views()
    built_in = {f"tap_{event}_{stage}" for event in EVENTS for stage in STAGES}
    for event in EVENTS:
        for stage in STAGES:
            _rebuild(event, stage, by_day=False)
    for table in sa.inspect(op.get_bind()).get_table_names():
        if table.startswith(tuple(f"tap_{event}_" for event in EVENTS)) and table not in built_in:
            op.execute(f"DROP TABLE IF EXISTS {table}")
    _journeys("")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _drop_views() -> None:
    for view in sorted(sa.inspect(op.get_bind()).get_view_names()):
        if view.startswith("tap_"):
            op.execute(f"DROP VIEW {view}")


def _names(event: str, stage: str) -> list[str]:
    before, behind = STAGES[stage]
    return [*before.split(), *EVENTS[event][1].split(), *behind.split()]


def _rebuild(event: str, stage: str, *, by_day: bool) -> None:
    """Copy a table into one of the other shape, and put that in its place."""
    table = f"tap_{event}_{stage}"
    indexes = (("shop", "occurred_at"), ("event_id",))
    for columns in indexes:
        op.drop_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table)
    if _is_postgresql():
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT pk_{table} TO pk_old_{table}")
    op.rename_table(table, f"old_{table}")
    _create(event, stage, by_day=by_day)
    for columns in indexes:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
    if by_day and _is_postgresql():
        op.execute(f"CREATE TABLE {table}_other PARTITION OF {table} DEFAULT")
    names = ", ".join([*FIXED.split(), *_names(event, stage)])
    day = (
        "COALESCE((arrived_at AT TIME ZONE 'UTC')::date, DATE '1970-01-01')"
        if _is_postgresql()
        else "COALESCE(date(arrived_at), '1970-01-01')"
    )
    target, source = (f"{names}, arrived_day", f"{names}, {day}") if by_day else (names, names)
    op.execute(f"INSERT INTO {table} ({target}) SELECT {source} FROM old_{table}")  # noqa: S608
    op.drop_table(f"old_{table}")


def _create(event: str, stage: str, *, by_day: bool) -> None:
    table = f"tap_{event}_{stage}"
    keys = (*KEYS, "arrived_day") if by_day else KEYS
    op.create_table(
        table,
        *_fixed_columns(by_day=by_day),
        *(_column(name, by_day=by_day) for name in _names(event, stage)),
        sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")),
        comment=f"Copies of the {EVENTS[event][0]} records after the stage {stage}, "
        "as taps took them",
        postgresql_partition_by="RANGE (arrived_day)" if by_day else None,
    )


def _column(name: str, *, by_day: bool) -> sa.Column[Any]:
    kind, words = COLUMNS[name]
    types: dict[str, sa.types.TypeEngine[Any]] = {
        T: sa.Text(),
        N: sa.Double(),
        AT: sa.DateTime(timezone=True),
    }
    return sa.Column(name, types[kind], nullable=True, comment=words if by_day else None)


def _fixed_columns(*, by_day: bool) -> list[sa.Column[Any]]:
    def column(name: str, kind: Any, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=nullable, comment=comment)

    moment = sa.DateTime(timezone=True)
    overflow = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    made_anew = "counts how often the topic was deleted and made anew"
    other = "values without a column, or of another type than theirs"
    day = column(
        "arrived_day", sa.Date(), "UTC day of the arrival; 1970-01-01 where nobody knows it"
    )
    return [
        column("topic", sa.Text(), "Kafka topic, or file"),
        column("partition", sa.Integer(), "partition number"),
        column("epoch", sa.Integer(), made_anew),
        column("record_offset", sa.BigInteger(), "the record's offset in the partition"),
        *([day] if by_day else []),
        column("event_id", sa.Text(), "the client's own id of the event"),
        column("shop", sa.Text(), "the shop"),
        column("occurred_at", moment, "event time; NULL before it is known", nullable=True),
        column("arrived_at", moment, "when it reached the broker", nullable=True),
        column("tap", sa.Text(), "the tap that took it"),
        column("overflow", overflow, other, nullable=True),
    ]


def _numbers(event: str) -> list[str]:
    return [name for name in EVENTS[event][1].split() if COLUMNS[name][0] == N]


def _journeys(and_day: str) -> None:
    """Each record's values after decode and after normalise, side by side."""
    for event in EVENTS:
        extra = {"purchase": ", d.currency AS currency_decode, n.currency AS currency_normalise"}
        units = {"height": "d.height_unit, ", "weight": "d.weight_unit, "}
        numbers = ", ".join(
            f"{units.get(name, '')}d.{name} AS {name}_decode, n.{name} AS {name}_normalise, "
            f"n.{name} / NULLIF(d.{name}, 0) AS {name}_ratio"
            for name in _numbers(event)
        )
        op.execute(
            f"CREATE VIEW tap_{event}_journey AS "  # noqa: S608  # all names stand above
            "SELECT d.shop, d.event_id, n.occurred_at, d.arrived_at, "
            "d.topic, d.partition, d.epoch, d.record_offset, "
            f"n.category, n.gender, d.app_version, {numbers}{extra.get(event, '')} "
            f"FROM tap_{event}_decode AS d LEFT JOIN tap_{event}_normalise AS n "
            "ON n.topic = d.topic AND n.partition = d.partition "
            f"AND n.epoch = d.epoch AND n.record_offset = d.record_offset{and_day}"
        )


def _neighbours(event: str, before: str, after: str) -> str:
    """Two neighbouring stages: each number before, after, and the change."""
    numbers = "".join(
        f", b.{name} AS {name}_before, a.{name} AS {name}_after, "
        f"a.{name} - b.{name} AS {name}_change"
        for name in _numbers(event)
    )
    return (
        f"CREATE VIEW tap_{event}_{before}_to_{after} AS "  # noqa: S608  # as above
        "SELECT b.shop, b.event_id, COALESCE(a.occurred_at, b.occurred_at) AS occurred_at, "
        "b.arrived_at, b.topic, b.partition, b.epoch, b.record_offset, "
        "COALESCE(a.category, b.category) AS category, COALESCE(a.gender, b.gender) AS gender, "
        f"b.app_version, a.record_offset IS NULL AS refused{numbers} "
        f"FROM tap_{event}_{before} AS b LEFT JOIN tap_{event}_{after} AS a "
        f"ON {SAME} AND a.arrived_day = b.arrived_day"
    )


def _daily(event: str) -> str:
    """Per stage, shop and day of arrival: the sampled records, and each number's statistics."""
    numbers = "".join(
        f", count({name}) AS {name}_n, avg({name}) AS {name}_mean, "
        f"min({name}) AS {name}_min, max({name}) AS {name}_max"
        for name in _numbers(event)
    )
    parts = [
        f"SELECT shop, arrived_day AS day, CAST('{stage}' AS TEXT) AS stage, "  # noqa: S608
        f"{position} AS position, count(*) AS records{numbers} "
        f"FROM tap_{event}_{stage} GROUP BY shop, arrived_day"
        for position, stage in enumerate(STAGES, start=1)
    ]
    return f"CREATE VIEW tap_{event}_daily AS {' UNION ALL '.join(parts)}"
