"""Shops' salts, the taps that workers use, and what the flight recorder held.

A migration never changes once it is released, so it repeats what it needs and imports
nothing of the current tables.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TABLES: dict[str, tuple[str, tuple[str, ...], tuple[tuple[str, Any, str], ...]]] = {
    "shop_keys": (
        (
            "The salt of every shop's pseudonym key; whoever may read it and has the master key "
            "can find a shopper's pseudonym"
        ),
        ("shop",),
        (
            ("shop", sa.Text(), "the shop"),
            ("salt", sa.LargeBinary(), "random; a new one ends all linking"),
            ("generation", sa.Integer(), "counts the salts that the shop has had"),
            ("since", MOMENT, "when this salt was made"),
        ),
    ),
    "tap_versions": (
        "Which taps every worker uses",
        ("worker",),
        (
            ("worker", sa.Text(), "host and process"),
            ("version", sa.Text(), "names the tap files by which the worker takes rows"),
            ("offered", sa.Text(), "names the tap files that are in the folder"),
            ("loaded_at", MOMENT, "when the worker loaded its taps"),
            ("seen_at", MOMENT, "when the worker last said so"),
            ("error", sa.Text(), "why what is in the folder is not used; empty if it is"),
        ),
    ),
    "recorded_rows": (
        "What the flight recorder held of a shop when its incident opened",
        ("incident_id", "topic", "partition", "epoch", "record_offset", "stage"),
        (
            ("incident_id", sa.Text(), "the incident, or freeze/ and who asked"),
            ("topic", sa.Text(), "Kafka topic, or file"),
            ("partition", sa.Integer(), "partition number"),
            ("epoch", sa.Integer(), "counts how often the topic was deleted and made anew"),
            ("record_offset", sa.BigInteger(), "the record's offset in the partition"),
            ("stage", sa.Text(), "the stage after which it was seen"),
            ("event_type", sa.Text(), "widget-event, purchase or return"),
            ("shop", sa.Text(), "the shop"),
            ("event_id", sa.Text(), "the client's own id of the event"),
            ("occurred_at", MOMENT, "event time"),
            ("arrived_at", MOMENT, "when it reached the broker"),
            ("fields", JSON, "the fields of the event, without identity"),
        ),
    ),
    "freezes": (
        "Asked for by hand: write down what the flight recorder holds of a shop",
        ("id",),
        (
            ("id", sa.Text(), "freeze/shop@time"),
            ("shop", sa.Text(), "the shop"),
            ("asked_at", MOMENT, "when it was asked for"),
        ),
    ),
}
NULLABLE = ("occurred_at", "arrived_at")


def upgrade() -> None:
    """Create the tables."""
    for name, (comment, keys, columns) in TABLES.items():
        op.create_table(
            name,
            *(
                sa.Column(column, kind, nullable=column in NULLABLE, comment=words)
                for column, kind, words in columns
            ),
            sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{name}")),
            comment=comment,
        )
    op.create_index(
        op.f("ix_recorded_rows_shop_arrived_at"), "recorded_rows", ["shop", "arrived_at"]
    )


def downgrade() -> None:
    """Drop them, with all that they hold; then no new pseudonym joins an old one."""
    for name in TABLES:
        op.drop_table(name)
