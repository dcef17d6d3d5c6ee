"""Sessions of workers that fell asleep in the middle of a transaction, on PostgreSQL.

Those that are idle in a transaction are ended by the server. But one whose worker froze while it
was sending several statements at once counts as active, and would hold its locks until the worker
wakes up or dies.
"""

from sqlalchemy import Engine, text

from streamwatch.adapters.sql.engine import writing
from streamwatch.errors import DatabaseError

ASLEEP_SECONDS = 8
"""Less than a lock is waited for."""

_LOCK_NOT_AVAILABLE = "55P03"
_END = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user"
    " AND application_name = 'streamwatch' AND pid <> pg_backend_pid()"
    " AND state = 'active' AND wait_event = 'ClientRead' AND backend_xid IS NOT NULL"
    " AND state_change < clock_timestamp() - make_interval(secs => :asleep)"
)


def waited_in_vain(error: DatabaseError) -> bool:
    """Whether a lock was not given within `lock_timeout`."""
    cause = getattr(error.__cause__, "orig", None)
    return getattr(cause, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def end_sleepers(engine: Engine) -> int:
    """End the sessions of our own user that wait for a client that is asleep; tells how many.

    Nothing of their transactions is written; a worker that was only slow tries its flush again.

    Raises:
        DatabaseError: the database does not answer.
    """
    with writing(engine) as connection:
        return int(connection.execute(_END, {"asleep": ASLEEP_SECONDS}).scalar_one())
