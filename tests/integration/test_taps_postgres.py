"""Tap tables on PostgreSQL: days that are dropped, and a role that only reads."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError
from tests.unit.sql.flushes import flush, tap_row

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.prune import prune
from streamwatch.adapters.sql.prune_taps import Kept
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tap_partitions import day_tables
from streamwatch.adapters.sql.tap_schema import prepare_tap_tables
from streamwatch.domain.rows import TapRow
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import StageSettings
from streamwatch.domain.tap_settings import ColumnShape, TapSettings

NOW = 1_772_357_400_250  # 2026-03-01
DAY_MS = 86_400_000
TABLE = "tap_widget_event_decode"
ROLE = Path(__file__).parents[2] / "deploy" / "sql" / "analyst_role.sql"


@pytest.fixture
def engine(postgres: str) -> Iterator[Engine]:
    upgrade(postgres)
    engine = create_engine_for(postgres)
    yield engine
    engine.dispose()


def row(offset: int, arrived: int) -> TapRow:
    return replace(tap_row(offset), arrived_at=arrived)


def write(engine: Engine, *rows: TapRow, now: int = NOW) -> None:
    store = SqlStore(engine, now_ms=lambda: now)
    partition = uuid.uuid4().int % 1_000_000
    whole = flush(rows=rows)
    store.commit(replace(whole, partition=replace(whole.partition, partition=partition)))


def count(engine: Engine, table: str = TABLE) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_every_day_near_the_present_has_a_table_of_its_own(engine: Engine) -> None:
    write(engine, row(0, NOW), row(1, NOW - DAY_MS), row(2, NOW - 400 * DAY_MS), row(3, -1))
    days = [day.isoformat() for _, day in day_tables(engine, TABLE)]
    assert days == ["2026-02-28", "2026-03-01"]
    assert count(engine, f"{TABLE}_other") == 2
    assert count(engine) == 4


def test_a_row_that_comes_again_later_stands_once(engine: Engine) -> None:
    write(engine, row(0, NOW), row(1, NOW - 400 * DAY_MS))
    write(engine, row(0, NOW), row(1, NOW - 400 * DAY_MS), now=NOW + 30 * DAY_MS)
    assert count(engine) == 2


def test_a_day_that_lies_with_others_already_stays_there(engine: Engine) -> None:
    write(engine, row(0, NOW + 10 * DAY_MS))
    write(engine, row(0, NOW + 10 * DAY_MS), row(1, NOW + 10 * DAY_MS), now=NOW + 10 * DAY_MS)
    assert count(engine) == count(engine, f"{TABLE}_other") == 2


def test_retention_drops_whole_days_and_keeps_the_rest(engine: Engine) -> None:
    write(engine, *(row(n, NOW - n * DAY_MS) for n in range(50)))
    deleted = dict(prune(engine, NOW, {"all": Kept(40 * DAY_MS)}))
    assert deleted[TABLE] == 9
    assert count(engine) == 41
    days = [day for _, day in day_tables(engine, TABLE)]
    assert min(days) == datetime.fromtimestamp((NOW - 40 * DAY_MS) / 1000, UTC).date()


def test_the_newest_rows_are_kept_where_their_number_is_limited(engine: Engine) -> None:
    write(engine, *(row(n, NOW - n * 1000) for n in range(20)))
    assert dict(prune(engine, NOW, {"all": Kept(40 * DAY_MS, rows=5)}))[TABLE] == 15
    assert count(engine) == 5


def test_own_stages_get_tables_by_day_too(engine: Engine) -> None:
    settings = Settings(stages=(StageSettings("fit", "mine:fit"),))
    tap = TapSettings(
        "t", "widget-event", ("fit",), ("product",), shapes={"product": ColumnShape(rename="sku")}
    )
    store = SqlStore(engine, now_ms=lambda: NOW)
    for _ in range(2):
        store.tap_tables = prepare_tap_tables(engine, settings, (tap,))
    mine = replace(tap_row(0, sku="dress", height=1.0), stage="fit")
    store.commit(flush(rows=[mine]))
    with engine.connect() as connection:
        query = "SELECT sku, height, overflow FROM tap_widget_event_fit_20260301"
        assert [tuple(one) for one in connection.execute(text(query))] == [("dress", 1.0, None)]
        views = ("normalise_to_fit", "fit_to_pseudonymise")
        counts = [
            connection.execute(text(f"SELECT count(*) FROM tap_widget_event_{view}")).scalar_one()
            for view in views
        ]
        daily = "SELECT stage, position, height_mean FROM tap_widget_event_daily"
        assert [tuple(one) for one in connection.execute(text(daily))] == [("fit", 4, 1.0)]
        assert counts == [0, 1]
        described = {
            of: connection.execute(text(f"SELECT obj_description('{of}'::regclass)")).scalar_one()
            for of in (
                "tap_widget_event_fit", "tap_widget_event_normalise_to_fit",
                "tap_widget_event_daily", "tap_widget_event_journey", "open_incidents",
            )
        }  # fmt: skip
        assert all(described.values()), described
        bare = text(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'tap_widget_event_fit'::regclass"
            " AND attnum > 0 AND col_description(attrelid, attnum) IS NULL"
        )
        assert connection.execute(bare).all() == []


def test_workers_that_start_together_on_a_new_database_all_find_their_tables(
    engine: Engine,
) -> None:
    settings = Settings(stages=tuple(StageSettings(f"own{n}", "mine:fit") for n in range(3)))
    with ThreadPoolExecutor(6) as workers:
        prepared = workers.map(lambda _: prepare_tap_tables(engine, settings, ()), range(6))
        assert all(("purchase", "own2") in tables for tables in prepared)


@pytest.fixture
def analyst(engine: Engine, postgres: str) -> Iterator[Engine]:
    """The connection of a person who has the role."""
    name = f"ann_{uuid.uuid4().hex[:8]}"
    with create_engine(engine.url, isolation_level="AUTOCOMMIT").connect() as owner:
        for _ in range(2):
            owner.exec_driver_sql(ROLE.read_text().replace("%", "%%"))
        owner.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'pw' IN ROLE streamwatch_analyst"))
    url = make_url(postgres).set(username=name, password="pw")  # noqa: S106  # made for this test
    engine = create_engine(url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT count(*) FROM {TABLE}",
        "SELECT count(*) FROM tap_widget_event_daily",
        "SELECT count(*) FROM stage_statistics",
        "SELECT count(*) FROM recorded_rows",
    ],
)
def test_an_analyst_reads_what_the_documents_name(analyst: Engine, query: str) -> None:
    with analyst.connect() as connection:
        assert connection.execute(text(query)).scalar_one() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM shop_keys",
        "SELECT * FROM states",
        f"DELETE FROM {TABLE}",
        f"INSERT INTO {TABLE} SELECT * FROM {TABLE}",
        "UPDATE incidents SET status = 'closed'",
        f"DROP TABLE {TABLE}",
    ],
)
def test_an_analyst_reads_no_key_and_changes_nothing(analyst: Engine, statement: str) -> None:
    with analyst.connect() as connection, pytest.raises(ProgrammingError, match=r"denied|owner"):
        connection.execute(text(statement))


def test_an_analyst_reads_days_that_are_made_later(analyst: Engine, engine: Engine) -> None:
    write(engine, row(0, NOW))
    with analyst.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {TABLE}")).scalar_one() == 1
