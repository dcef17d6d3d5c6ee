"""Rows that are written many at a time stand as if each had been written alone."""

import sqlite3
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, text

from streamwatch.adapters.sql.bulk import ALIKE_AT_ONCE, write_columns
from streamwatch.adapters.sql.tables import METADATA, REJECTS, VERDICTS
from streamwatch.adapters.sql.tap_tables import TAP_TABLES
from streamwatch.adapters.sql.tap_values import tap_columns
from streamwatch.domain.rows import TapRow, Value

TAPS = TAP_TABLES["widget-event", "decode"]


def empty() -> Engine:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine, tables=[TAPS, VERDICTS, REJECTS])
    return engine


def row(offset: int, **columns: Value) -> TapRow:
    moment = 1_772_357_400_250 + offset
    return TapRow("widget-event", "decode", "widget-event", 0, offset, f"e-{offset}", "s", moment,
                  moment if offset % 7 else -1, columns, "t")  # fmt: skip


def write(connection: Connection, rows: Sequence[TapRow]) -> None:
    for one in tap_columns(TAPS, [row.alone() for row in rows]):
        write_columns(connection, one)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 3 * ALIKE_AT_ONCE), st.integers(0, 2 * ALIKE_AT_ONCE))
def test_each_row_stands_once_however_many_are_written(first: int, again: int) -> None:
    engine = empty()
    with engine.begin() as connection:
        write(connection, [row(n, height=1.5) for n in range(first)])
        write(connection, [row(n, height=9.0) for n in range(again)])
        found = connection.execute(text(f"SELECT record_offset, height FROM {TAPS.name}")).all()
    expected = {n: 1.5 if n < first else 9.0 for n in range(max(first, again))}
    assert dict(map(tuple, found)) == expected
    assert len(found) == len(expected)


def test_rows_of_different_taps_keep_their_own_columns() -> None:
    rows = [row(0, height=170.0), row(1, weight=70.0, surprise="x"), row(2), row(3, height="tall")]
    engine = empty()
    with engine.begin() as connection:
        write(connection, rows)
        query = (
            f"SELECT height, weight, overflow, arrived_at FROM {TAPS.name} ORDER BY record_offset"
        )
        found = [tuple(one) for one in connection.execute(text(query))]
    assert [one[:3] for one in found] == [
        (170.0, None, None),
        (None, 70.0, '{"surprise":"x"}'),
        (None, None, None),
        (None, None, '{"height":"tall"}'),
    ]
    assert found[0][3] is None
    assert found[1][3] == "2026-03-01 09:30:00.251000"


def test_a_database_that_takes_few_parameters_is_given_few(engine: Engine) -> None:
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        write(connection, [row(n) for n in range(500)])
        assert connection.execute(text(f"SELECT count(*) FROM {TAPS.name}")).scalar_one() == 500
