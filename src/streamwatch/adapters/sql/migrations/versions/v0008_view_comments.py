"""What each view is for, as a comment on it; on SQLite, which has none, nothing happens.

A migration never changes once it is released, so it repeats what it needs and imports
nothing of the current tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KINDS = (
    ("_journey", "The values of each record after decode and after normalise, side by side"),
    ("_daily", "Per stage, shop and day of arrival: the sampled records and their statistics"),
    ("_to_", "The same records after two stages: each number before and after, and the change"),
    ("open_incidents", "The incidents that are open now"),
)


def upgrade() -> None:
    """Say what the views are for."""
    _comment(dict(KINDS))


def downgrade() -> None:
    """Take it back."""
    _comment(dict.fromkeys(dict(KINDS), ""))


def _comment(words: dict[str, str]) -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for view in sa.inspect(connection).get_view_names():
        for kind, comment in words.items():
            if kind in view and (view.startswith("tap_") or view == kind):
                said = f"'{comment}'" if comment else "NULL"
                op.execute(f"COMMENT ON VIEW {view} IS {said}")
                break
