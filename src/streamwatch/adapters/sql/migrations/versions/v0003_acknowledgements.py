"""Acknowledgements, and the indexes by which pages look incidents up.

A migration never changes once it is released, so it repeats what it needs and imports
nothing of the current tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = (("since",), ("shop", "since"), ("kpi", "since"))
"""Columns of the table `incidents` that are looked up together."""


def upgrade() -> None:
    """Create the table and the indexes."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "acknowledgements",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="counts up",
        ),
        _text("incident_id", "the incident"),
        _text("kind", "expected, client-error, new-trend or false-alarm"),
        _text("note", "free text, may be empty"),
        _text("who", "the person, as far as it is known"),
        sa.Column("at", moment, nullable=False, comment="when it was said"),
        _text("silence", "id of the silence in Alertmanager; empty without one"),
        sa.Column(
            "silenced_until",
            moment,
            nullable=True,
            comment="when that silence ends unless it is renewed",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgements")),
        comment="What people said about incidents; rows are only ever added",
    )
    op.create_index(op.f("ix_acknowledgements_incident_id"), "acknowledgements", ["incident_id"])
    for columns in INDEXES:
        op.create_index(op.f(f"ix_incidents_{'_'.join(columns)}"), "incidents", list(columns))


def downgrade() -> None:
    """Drop them, with all that they hold."""
    for columns in INDEXES:
        op.drop_index(op.f(f"ix_incidents_{'_'.join(columns)}"), "incidents")
    op.drop_table("acknowledgements")


def _text(name: str, comment: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)
