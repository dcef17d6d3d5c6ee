"""Which incident covers an incident, and what a person said of it.

A migration never changes once it is released, so it repeats what it needs and imports
nothing of the current tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ADDED = (
    ("part_of", "id of the incident that covers this one; empty if it stands for itself"),
    ("acknowledged", "what a person said of it last; empty if nothing"),
)


def upgrade() -> None:
    """Add the columns."""
    for name, comment in ADDED:
        column = sa.Column(name, sa.Text(), nullable=False, server_default="", comment=comment)
        op.add_column("incidents", column)


def downgrade() -> None:
    """Drop them, with all that they hold."""
    for name, _ in reversed(ADDED):
        op.drop_column("incidents", name)
