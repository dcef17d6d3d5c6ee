"""Deleting what has been kept long enough, in small transactions that hold nobody up."""

from collections.abc import Iterator, Mapping

from sqlalchemy import ColumnElement, Engine, Table, delete, select, tuple_

from streamwatch.adapters.sql.diagnosis_tables import DISTRIBUTIONS, GROUP_STATISTICS
from streamwatch.adapters.sql.engine import writing
from streamwatch.adapters.sql.inspection import FREEZES, RECORDED_ROWS, TAP_VERSIONS
from streamwatch.adapters.sql.prune_taps import Kept, drop_old_days, old_rows
from streamwatch.adapters.sql.tables import REJECTS, STAGE_STATISTICS, VERDICTS
from streamwatch.adapters.sql.tap_schema import stored_tap_tables

DAY_MS = 86_400_000
KEPT_DAYS: Mapping[str, int] = {
    "rejects": 30,
    "recorded_rows": 400,
    "verdicts": 400,
    "stage_statistics": 400,
    "group_statistics": 100,
    "distributions": 100,
}
"""Table → days that its rows are kept; incidents and state are kept for good."""


def prune(
    engine: Engine, now_ms: int, taps: Mapping[str, Kept], batch: int = 5_000
) -> Iterator[tuple[str, int]]:
    """Delete old rows; yields each table with the rows deleted as soon as it is done.

    ``taps`` says how long the rows of each tap are kept. A tap row's age counts from its
    arrival, or from its event time where nobody knows that.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    for table in stored_tap_tables(engine):
        gone = drop_old_days(engine, table, now_ms, taps.values())
        for old in old_rows(engine, table, now_ms, taps):
            gone += _delete(engine, table, old, batch)
        yield table.name, gone
    before = now_ms - KEPT_DAYS["recorded_rows"] * DAY_MS
    yield (
        RECORDED_ROWS.name,
        _delete(engine, RECORDED_ROWS, RECORDED_ROWS.c.arrived_at < before, batch),
    )
    yield FREEZES.name, _delete(engine, FREEZES, FREEZES.c.asked_at < now_ms - DAY_MS, batch)
    yield (
        TAP_VERSIONS.name,
        _delete(engine, TAP_VERSIONS, TAP_VERSIONS.c.seen_at < now_ms - DAY_MS, batch),
    )
    for table, moment in (
        (REJECTS, REJECTS.c.arrived_at),
        (VERDICTS, VERDICTS.c.bucket),
        (STAGE_STATISTICS, STAGE_STATISTICS.c.bucket),
        (GROUP_STATISTICS, GROUP_STATISTICS.c.bucket),
        (DISTRIBUTIONS, DISTRIBUTIONS.c.bucket),
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
