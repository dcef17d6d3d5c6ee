"""The tap tables, and the views for analysts.

A migration never changes once it is released, so it repeats what it needs and imports
nothing of the current tables.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

T, N, AT = "text", "number", "time"

WIDGET_EVENT = (
    ("product", T),
    ("category", T),
    ("gender", T),
    ("height", N),
    ("height_unit", T),
    ("weight", N),
    ("weight_unit", T),
    ("age", N),
    ("recommended_size", T),
    ("fit_preference", T),
    ("app_version", T),
)
PURCHASE = (
    ("order_id", T),
    ("line", T),
    ("product", T),
    ("category", T),
    ("gender", T),
    ("size", T),
    ("quantity", N),
    ("price", N),
    ("currency", T),
    ("app_version", T),
)
RETURN = (
    ("order_id", T),
    ("product", T),
    ("category", T),
    ("gender", T),
    ("size", T),
    ("quantity", N),
    ("reason", T),
    ("app_version", T),
)
EVENTS = {"widget-event": WIDGET_EVENT, "purchase": PURCHASE, "return": RETURN}

TIME = (("time", T),)
PSEUDONYM = (("pseudonym", T),)
SEGMENT = (*PSEUDONYM, ("bucket", AT), ("segments", T))
STAGES = {
    "decode": (TIME, ()),
    "validate": (TIME, ()),
    "normalise": ((), ()),
    "pseudonymise": ((), PSEUDONYM),
    "segment": ((), SEGMENT),
    "aggregate": ((), SEGMENT),
}
"""Stage → the columns before and behind the event's own."""

VIEWS = {
    "tap_widget_event_journey": """
        CREATE VIEW tap_widget_event_journey AS
        SELECT
            d.shop, d.event_id, n.occurred_at, d.arrived_at,
            d.topic, d.partition, d.epoch, d.record_offset,
            n.category, n.gender, d.app_version,
            d.height_unit,
            d.height AS height_decode, n.height AS height_normalise,
            n.height / NULLIF(d.height, 0) AS height_ratio,
            d.weight_unit,
            d.weight AS weight_decode, n.weight AS weight_normalise,
            n.weight / NULLIF(d.weight, 0) AS weight_ratio,
            d.age AS age_decode, n.age AS age_normalise,
            n.age / NULLIF(d.age, 0) AS age_ratio
        FROM tap_widget_event_decode AS d
        LEFT JOIN tap_widget_event_normalise AS n
            ON n.topic = d.topic AND n.partition = d.partition
            AND n.epoch = d.epoch AND n.record_offset = d.record_offset
    """,
    "tap_purchase_journey": """
        CREATE VIEW tap_purchase_journey AS
        SELECT
            d.shop, d.event_id, n.occurred_at, d.arrived_at,
            d.topic, d.partition, d.epoch, d.record_offset,
            n.category, n.gender, d.app_version,
            d.quantity AS quantity_decode, n.quantity AS quantity_normalise,
            n.quantity / NULLIF(d.quantity, 0) AS quantity_ratio,
            d.currency AS currency_decode, n.currency AS currency_normalise,
            d.price AS price_decode, n.price AS price_normalise,
            n.price / NULLIF(d.price, 0) AS price_ratio
        FROM tap_purchase_decode AS d
        LEFT JOIN tap_purchase_normalise AS n
            ON n.topic = d.topic AND n.partition = d.partition
            AND n.epoch = d.epoch AND n.record_offset = d.record_offset
    """,
    "tap_return_journey": """
        CREATE VIEW tap_return_journey AS
        SELECT
            d.shop, d.event_id, n.occurred_at, d.arrived_at,
            d.topic, d.partition, d.epoch, d.record_offset,
            n.category, n.gender, d.app_version,
            d.quantity AS quantity_decode, n.quantity AS quantity_normalise,
            n.quantity / NULLIF(d.quantity, 0) AS quantity_ratio
        FROM tap_return_decode AS d
        LEFT JOIN tap_return_normalise AS n
            ON n.topic = d.topic AND n.partition = d.partition
            AND n.epoch = d.epoch AND n.record_offset = d.record_offset
    """,
    "open_incidents": """
        CREATE VIEW open_incidents AS
        SELECT
            id, shop, event_type, kpi, segment, span, direction, since, last_bucket,
            value, expected, lower, upper, score, buckets, reason, updated_at
        FROM incidents
        WHERE status = 'open'
    """,
}


def upgrade() -> None:
    """Create the tables and views."""
    for event_type, columns in EVENTS.items():
        for stage, (before, behind) in STAGES.items():
            _create(event_type, stage, (*before, *columns, *behind))
    for view in VIEWS.values():
        op.execute(view)


def downgrade() -> None:
    """Drop them, with all that they hold."""
    for view in VIEWS:
        op.execute(f"DROP VIEW {view}")
    for event_type in EVENTS:
        for stage in STAGES:
            op.drop_table(_table(event_type, stage))


def _table(event_type: str, stage: str) -> str:
    return f"tap_{event_type}_{stage}".replace("-", "_")


def _create(event_type: str, stage: str, columns: tuple[tuple[str, str], ...]) -> None:
    table = _table(event_type, stage)
    op.create_table(
        table,
        *_fixed_columns(),
        *(sa.Column(name, _type(kind), nullable=True) for name, kind in columns),
        sa.PrimaryKeyConstraint(
            "topic", "partition", "epoch", "record_offset", name=op.f(f"pk_{table}")
        ),
        comment=f"Copies of the {event_type} records after the stage {stage}, as taps took them",
    )
    op.create_index(op.f(f"ix_{table}_shop_occurred_at"), table, ["shop", "occurred_at"])
    op.create_index(op.f(f"ix_{table}_event_id"), table, ["event_id"])


def _type(kind: str) -> sa.types.TypeEngine[Any]:
    types: dict[str, sa.types.TypeEngine[Any]] = {
        T: sa.Text(),
        N: sa.Double(),
        AT: sa.DateTime(timezone=True),
    }
    return types[kind]


def _fixed_columns() -> list[sa.Column[Any]]:
    def column(name: str, kind: Any, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=nullable, comment=comment)

    moment = sa.DateTime(timezone=True)
    overflow = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    made_anew = "counts how often the topic was deleted and made anew"
    other = "values without a column, or of another type than theirs"
    return [
        column("topic", sa.Text(), "Kafka topic, or file"),
        column("partition", sa.Integer(), "partition number"),
        column("epoch", sa.Integer(), made_anew),
        column("record_offset", sa.BigInteger(), "the record's offset in the partition"),
        column("event_id", sa.Text(), "the client's own id of the event"),
        column("shop", sa.Text(), "the shop"),
        column("occurred_at", moment, "event time; NULL before it is known", nullable=True),
        column("arrived_at", moment, "when it reached the broker", nullable=True),
        column("tap", sa.Text(), "the tap that took it"),
        column("overflow", overflow, other, nullable=True),
    ]
