"""Deleting what has been kept long enough, in small transactions that hold nobody up."""

from collections.abc import Iterator, Mapping

from sqlalchemy import ColumnElement, Engine, Table, and_, delete, func, or_, select, tuple_

from streamwatch.adapters.sql.engine import writing
from streamwatch.adapters.sql.tables import REJECTS, STAGE_STATISTICS, VERDICTS
from streamwatch.adapters.sql.tap_tables import TAP_TABLES

DAY_MS = 86_400_000
KEPT_DAYS: Mapping[str, int] = {"rejects": 30, "verdicts": 400, "stage_statistics": 400}
"""Table → days that its rows are kept; incidents and state are kept for good."""

UNKNOWN_TAP_DAYS = 30
"""Days that the rows of a tap are kept whose file is gone."""


def prune(
    engine: Engine, now_ms: int, tap_retention: Mapping[str, int], batch: int = 5_000
) -> Iterator[tuple[str, int]]:
    """Delete old rows; yields each table with the rows deleted as soon as it is done.

    ``tap_retention`` maps a tap's name to milliseconds. A tap row's age counts from its
    arrival, or from its event time where nobody knows that.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    for table in TAP_TABLES.values():
        age = func.coalesce(table.c.arrived_at, table.c.occurred_at, type_=table.c.arrived_at.type)
        old = [
            and_(table.c.tap == tap, age < now_ms - retention)
            for tap, retention in tap_retention.items()
        ]
        gone = table.c.tap.not_in(list(tap_retention))
        old.append(and_(gone, age < now_ms - UNKNOWN_TAP_DAYS * DAY_MS))
        yield table.name, _delete(engine, table, or_(*old), batch)
    for table, moment in (
        (REJECTS, REJECTS.c.arrived_at),
        (VERDICTS, VERDICTS.c.bucket),
        (STAGE_STATISTICS, STAGE_STATISTICS.c.bucket),
    ):
        before = now_ms - KEPT_DAYS[table.name] * DAY_MS
        yield table.name, _delete(engine, table, moment < before, batch)


def _delete(engine: Engine, table: Table, old: ColumnElement[bool], batch: int) -> int:
    key = tuple_(*table.primary_key.columns)
    some = select(*table.primary_key.columns).where(old).limit(batch)
    deleted = 0
    while True:
        with writing(engine) as connection:
            gone = connection.execute(delete(table).where(key.in_(some))).rowcount
        deleted += gone
        if gone < batch:
            return deleted
