"""Connections to the database: SQLite for one host, PostgreSQL for several."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from streamwatch.errors import DatabaseError

LOCK_SECONDS = 30
"""How long a writer waits for another process's transaction on SQLite."""

CONNECT_SECONDS = 10
_KEEPALIVE = {
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""How soon a connection is given up whose other end says nothing more: libpq's options, seconds
and (the last) milliseconds. Without them a worker behind a broken network waits for hours."""

_LIMITS = {
    "idle_in_transaction_session_timeout": 5,
    "lock_timeout": 10,
    "statement_timeout": 60,
}
"""Seconds after which PostgreSQL ends a transaction that waits for its client, a wait for a
lock, and a statement."""

_BEGIN = "streamwatch_begin"


def create_engine_for(url: str) -> Engine:
    """An engine for ``sqlite:///file`` or ``postgresql://user@host/database``.

    Nothing is connected yet. Passwords never appear in messages.

    Raises:
        DatabaseError: the address is malformed or of another database, the folder of the
            SQLite file does not exist, or the PostgreSQL driver is not installed.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise DatabaseError(
            "the database address cannot be read; write sqlite:///streamwatch.db or "
            "postgresql://user@host:5432/database"
        ) from error
    backend = address.get_backend_name()
    if backend == "sqlite":
        return _sqlite(address)
    if backend in ("postgresql", "postgres"):
        return _postgresql(address)
    raise DatabaseError(f"{backend} is not supported; use a sqlite or a postgresql address")


def shown(url: URL) -> str:
    """The address as messages show it: without user, password and options.

    >>> shown(make_url("postgresql://me:secret@db:5432/shops?sslmode=require"))
    'postgresql://db:5432/shops'
    """
    safe = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
    return safe.render_as_string()


def _sqlite(address: URL) -> Engine:
    in_memory = address.database in (None, "", ":memory:")
    if not in_memory:
        folder = Path(str(address.database)).absolute().parent
        if not folder.is_dir():
            raise DatabaseError(
                f"the folder of the database {shown(address)} does not exist; "
                f"create it: mkdir -p {folder}"
            )
    address = address.set(drivername="sqlite+pysqlite")
    if in_memory:
        engine = create_engine(
            address,
            hide_parameters=True,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
        )
    else:
        engine = create_engine(address, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # The driver begins transactions by itself, and late: `_begin_sqlite` does it instead.
    connection.isolation_level = None
    for pragma in (
        f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA cache_size = -65536",
        "PRAGMA temp_store = MEMORY",
    ):
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once, so that a fence that was compared cannot move
    # before it is swapped; a deferred transaction would fail then, without waiting.
    options = connection.get_execution_options()
    connection.exec_driver_sql(options.get(_BEGIN, "BEGIN IMMEDIATE"))


def _postgresql(address: URL) -> Engine:
    try:
        engine = create_engine(
            address.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            paramstyle="format",
            connect_args={
                "application_name": "streamwatch",
                "connect_timeout": CONNECT_SECONDS,
                **_KEEPALIVE,
                # A worker that falls asleep in a transaction must not hold its locks for ever.
                "options": " ".join(f"-c {name}={value}s" for name, value in _LIMITS.items()),
            },
        )
    except ImportError as error:
        raise DatabaseError(
            "the PostgreSQL driver is not installed; run: pip install 'streamwatch[postgres]'"
        ) from error
    event.listen(engine, "checkin", _forget_access)
    return engine


def _forget_access(connection: DBAPIConnection | None, _entry: ConnectionPoolEntry) -> None:
    # After a read SQLAlchemy leaves READ WRITE behind, which would overrule a server, a database
    # or a role that says read-only.
    if connection is not None:
        connection.read_only = None


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection whose reads all see one moment of the database.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    options = (
        {_BEGIN: "BEGIN DEFERRED"}
        if engine.dialect.name == "sqlite"
        else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    with database_errors(engine), engine.connect().execution_options(**options) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back by any exception.

    Raises:
        DatabaseError: the database does not answer, is not migrated or refuses a write.
    """
    with database_errors(engine), engine.begin() as connection:
        yield connection


@contextmanager
def database_errors(engine: Engine) -> Iterator[None]:
    """Turns what SQLAlchemy and the drivers raise into `DatabaseError`, once."""
    try:
        yield
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        raise DatabaseError(_explain(engine.url, error)) from error


def _explain(url: URL, error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    # The lines behind the first hold details of rows.
    said = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    name = shown(url)
    if "no such table" in said or type(cause).__name__ == "UndefinedTable":
        return f"the database {name} is not migrated ({said}); run: streamwatch db upgrade"
    if "database is locked" in said:
        return (
            f"the database {name} was locked by another process for {LOCK_SECONDS} s; "
            "stop that process, or use PostgreSQL for several workers"
        )
    if "unable to open database file" in said:
        return f"the database {name} cannot be opened ({said}); check the file's rights"
    if "connection" in said and type(cause).__name__ in ("OperationalError", "ConnectionTimeout"):
        return (
            f"the database {name} does not answer ({said}); start it, or correct `database` "
            "in streamwatch.yaml"
        )
    return f"the database {name} refused: {said}"
