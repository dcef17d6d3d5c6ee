"""Alembic's entry: runs the migrations on the connection that `migrations.upgrade` hands over."""

from alembic import context

from streamwatch.adapters.sql import diagnosis_tables, inspection, tap_tables  # noqa: F401 -- add to METADATA
from streamwatch.adapters.sql.tables import METADATA

# Alembic fills its context while it migrates only; at any other time an import does nothing.
if hasattr(context, "config"):
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
