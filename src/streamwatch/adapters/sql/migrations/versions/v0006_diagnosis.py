"""Where an incident came in, and the tables that tell affected records from others.

A migration never changes once it is released, so it repeats what it needs and imports
nothing of the current tables.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ADDED = (
    ("origin", "client, the stage where it came in, or undetermined; empty if not looked for"),
    ("origin_reason", "the numbers behind the origin, in words"),
    ("hypothesis", "what may have been done to the values; empty if nothing can be named"),
)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add the columns and the tables."""
    for name, comment in ADDED:
        column = sa.Column(name, sa.Text(), nullable=False, server_default="", comment=comment)
        op.add_column("incidents", column)
    op.execute("DROP VIEW open_incidents")
    op.execute(VIEW.format("origin, hypothesis, "))
    op.create_table(
        "group_statistics",
        *_bucket(),
        _text("labels", "fields that the records are told apart by, joined by commas"),
        _text("value", "their values, likewise; ~other holds the rare ones"),
        _text("feature", "height, weight, price.EUR ..."),
        _count("n", "values counted"),
        _number("mean", "their mean after the last stage"),
        _count("changed", "records whose value our stages changed, all together"),
        _number("mean_change", "mean change of those; NULL if none changed"),
        sa.PrimaryKeyConstraint(
            *BUCKET, "labels", "value", "feature", name=op.f("pk_group_statistics")
        ),
        comment="Every watched number by app version, and by gender and category",
    )
    op.create_index(op.f("ix_group_statistics_bucket"), "group_statistics", ["bucket"])
    bins = "bin -> values; bin i ends at (1.01 / 0.99) to the power of i"
    op.create_table(
        "distributions",
        *_bucket(),
        _text("feature", "height, weight, price.EUR ..."),
        _count("n", "values counted"),
        sa.Column("bins", JSON, nullable=False, comment=bins),
        sa.PrimaryKeyConstraint(*BUCKET, "feature", name=op.f("pk_distributions")),
        comment="How the values of every watched number were distributed",
    )
    op.create_index(op.f("ix_distributions_bucket"), "distributions", ["bucket"])


def downgrade() -> None:
    """Drop them, with all that they hold."""
    op.drop_table("distributions")
    op.drop_table("group_statistics")
    op.execute("DROP VIEW open_incidents")
    for name, _ in reversed(ADDED):
        op.drop_column("incidents", name)
    op.execute(VIEW.format(""))


VIEW = """
    CREATE VIEW open_incidents AS
    SELECT
        id, shop, event_type, kpi, segment, span, direction, since, last_bucket,
        value, expected, lower, upper, score, buckets, {}reason, updated_at
    FROM incidents
    WHERE status = 'open'
"""
BUCKET = ("shop", "event_type", "span", "bucket")


def _bucket() -> tuple[sa.Column[Any], ...]:
    moment = sa.DateTime(timezone=True)
    return (
        _text("shop", "the shop"),
        _text("event_type", "widget-event, purchase or return"),
        _text("span", "hour or day"),
        sa.Column("bucket", moment, nullable=False, comment="start of the bucket"),
    )


def _text(name: str, comment: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, comment=comment)


def _number(name: str, comment: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=True, comment=comment)
