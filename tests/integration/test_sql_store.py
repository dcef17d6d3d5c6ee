"""PostgreSQL keeps the same promises as SQLite."""

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, make_url, select, text
from tests.integration.stage import wait_for
from tests.unit.sql.flushes import PARTITION, flush
from tests.unit.sql.migration_contract import MigrationContract
from tests.unit.sql.query_contract import QueryContract
from tests.unit.sql.rows_contract import RowsContract
from tests.unit.sql.store_contract import StoreContract

from streamwatch.adapters.sql import sleepers
from streamwatch.adapters.sql.engine import create_engine_for, writing
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tables import FENCES
from streamwatch.errors import DatabaseError, FenceLostError


@contextmanager
def new_database(server: str, template: str) -> Iterator[str]:
    name = f"streamwatch_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def migrated(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database, copied for every test, which is faster than migrating."""
    with new_database(postgres_server, "template0") as url:
        upgrade(url)
        yield str(make_url(url).database)


@pytest.fixture
def engine(postgres_server: str, migrated: str) -> Iterator[Engine]:
    with new_database(postgres_server, migrated) as url:
        engine = create_engine_for(url)
        yield engine
        engine.dispose()


@pytest.fixture
def empty_url(postgres: str) -> str:
    return postgres


class TestPostgresStore(StoreContract):
    """The whole contract on PostgreSQL."""


class TestPostgresRows(RowsContract):
    """The whole contract on PostgreSQL."""


class TestPostgresMigrations(MigrationContract):
    """The whole contract on PostgreSQL."""


class TestPostgresQueries(QueryContract):
    """The whole contract on PostgreSQL."""


def test_a_zombie_waits_for_the_new_owner_and_then_loses(engine: Engine) -> None:
    store = SqlStore(engine)
    store.commit(flush())
    outcomes: list[Exception] = []

    def zombie() -> None:
        try:
            SqlStore(engine).commit(flush(10, 15, changes={"a": b"zombie"}))
        except FenceLostError as error:
            outcomes.append(error)

    late = Thread(target=zombie)
    with writing(engine) as connection:
        connection.execute(FENCES.update().values(next_offset=20))
        late.start()
        late.join(0.2)
        assert late.is_alive()
    late.join(10)
    assert len(outcomes) == 1
    assert dict(store.load(PARTITION).states) == {}


def test_a_server_that_does_not_answer_is_named_without_its_password(postgres: str) -> None:
    secret = uuid.uuid4().hex
    gone = make_url(postgres).set(port=1, password=secret, host="127.0.0.1")
    engine = create_engine_for(gone.render_as_string(hide_password=False))
    with pytest.raises(
        DatabaseError, match=r"127\.0\.0\.1:1/.* does not answer.*start it"
    ) as caught:
        SqlStore(engine).load(PARTITION)
    assert secret not in str(caught.value)


def test_a_database_that_may_only_be_read_stays_so_after_a_read(engine: Engine) -> None:
    with writing(engine) as connection:
        allowed = f'ALTER DATABASE "{engine.url.database}" SET default_transaction_read_only = on'
        connection.execute(text(allowed))
    engine.dispose()
    store = SqlStore(engine)
    assert store.load(PARTITION).fence is None
    with pytest.raises(DatabaseError, match="read-only transaction"):
        store.commit(flush())


def test_a_connection_that_the_server_ended_is_replaced(engine: Engine) -> None:
    store = SqlStore(engine)
    store.commit(flush())
    with engine.connect() as connection:
        (process,) = connection.execute(text("SELECT pg_backend_pid()")).one()
    other = create_engine(engine.url, isolation_level="AUTOCOMMIT")
    with other.connect() as connection:
        connection.execute(select(text(f"pg_terminate_backend({process})")))
    other.dispose()
    store.commit(flush(10, 20))
    assert store.load(PARTITION).fence == 20


def test_a_worker_that_froze_while_it_was_sending_does_not_hold_its_partition_for_ever(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqlStore(engine)
    store.commit(flush())
    monkeypatch.setattr(sleepers, "ASLEEP_SECONDS", 0)
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(url, application_name="streamwatch")) as frozen:
        session = frozen.pgconn
        session.enter_pipeline_mode()
        for statement in (b"BEGIN", b"UPDATE fences SET next_offset = 0"):
            session.send_query_params(statement, None)
        session.send_flush_request()
        session.flush()
        writes = text(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
            " AND wait_event = 'ClientRead' AND datname = current_database()"
        )

        def holds() -> bool:
            with engine.connect() as connection:
                return bool(connection.execute(writes).scalar_one() == 1)

        wait_for(holds, "the session holds the lock and waits for its client")
        with pytest.raises(DatabaseError, match="lock timeout"):
            store.commit(flush(10, 20))
        store.commit(flush(10, 20))
    assert store.load(PARTITION).fence == 20
