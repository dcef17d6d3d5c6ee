"""Writing many rows at once: INSERTs of many rows on SQLite, COPY on PostgreSQL.

On SQLite a statement of 200 rows takes three quarters of the time of 200 statements.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Column, Connection, Dialect, MetaData, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.dml import Insert

COPY_FROM = 500
"""Rows from which COPY into a temporary table beats single INSERTs."""

ROWS_AT_ONCE = 200
"""Rows of one INSERT on SQLite, if it takes as many parameters."""

Values = tuple[Any, ...]
"""One row: a value for each column of its table, in the table's order, as drivers take them."""


def write(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows into a table whose ``info`` says what happens to a key that is there already.

    ``keep`` leaves the stored row, so that writing a row twice changes nothing; ``replace``
    overwrites it, and where ``version`` names a column, only by a version that is not lower.
    """
    if table.info["conflict"] == "replace":
        rows = _one_for_each_key(table, rows)
    if not rows:
        return
    if connection.dialect.name == "postgresql" and len(rows) >= COPY_FROM:
        _copy(connection, table, rows)
        return
    if connection.dialect.name == "sqlite":
        rows = _insert_together(connection, table, rows)
    if rows:
        connection.exec_driver_sql(_insert_text(table, connection.dialect), list(rows))


def _insert_together(connection: Connection, table: Table, rows: Sequence[Values]) -> list[Values]:
    """Insert as many rows as make whole statements; returns the rest."""
    driver: Any = connection.connection.driver_connection
    most = driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(table.columns)
    together = min(ROWS_AT_ONCE, most)
    whole = len(rows) - len(rows) % together
    one = f"({', '.join('?' * len(table.columns))})"
    text = _insert_text(table, connection.dialect)
    text = text.replace(one, ", ".join([one] * together), 1)
    values = [
        tuple(chain.from_iterable(rows[begin : begin + together]))
        for begin in range(0, whole, together)
    ]
    if values:
        connection.exec_driver_sql(text, values)
    return list(rows[whole:])


def _one_for_each_key(table: Table, rows: Sequence[Values]) -> list[Values]:
    """The newest row of every key, since PostgreSQL refuses to touch a row twice at once.

    Sorted, so that two workers lock rows in the same order and never wait for each other.
    """
    names = [column.name for column in table.columns]
    places = [names.index(column.name) for column in table.primary_key.columns]
    version = names.index(table.info["version"]) if "version" in table.info else None
    newest: dict[Values, Values] = {}
    for row in rows:
        key = tuple(row[place] for place in places)
        stored = newest.get(key)
        if stored is None or version is None or row[version] >= stored[version]:
            newest[key] = row
    return [newest[key] for key in sorted(newest)]


def insert_into(table: Table, dialect: Dialect) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT; the two have no type in common."""
    dialects = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    return dialects[dialect.name](table)


def _on_conflict(insert: Any, table: Table) -> Insert:
    keys = list(table.primary_key.columns)
    if table.info["conflict"] == "keep":
        kept: Insert = insert.on_conflict_do_nothing(index_elements=keys)
        return kept
    version = table.info.get("version")
    replaced: Insert = insert.on_conflict_do_update(
        index_elements=keys,
        set_={
            column.name: insert.excluded[column.name]
            for column in table.columns
            if not column.primary_key
        },
        where=insert.excluded[version] >= table.c[version] if version else None,
    )
    return replaced


# SQLAlchemy's own processing of each value would cost more than the database's work, so the
# statement is compiled once and the driver gets the rows as they are.
@lru_cache(maxsize=128)
def _insert_text(table: Table, dialect: Dialect) -> str:
    statement = _on_conflict(insert_into(table, dialect), table)
    names = [column.name for column in table.columns]
    return str(statement.compile(dialect=dialect, column_keys=names))


@lru_cache(maxsize=128)
def _incoming(table: Table) -> Table:
    # No keys and no constraints: the real table checks them when the rows move on.
    columns = [Column(column.name, column.type) for column in table.columns]
    return Table(
        f"incoming_{table.name}",
        MetaData(),
        *columns,
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )


def _copy(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    incoming = _incoming(table)
    connection.execute(CreateTable(incoming))
    quoted = connection.dialect.identifier_preparer
    names = [column.name for column in table.columns]
    columns = ", ".join(quoted.quote(name) for name in names)
    command = f"COPY {quoted.format_table(incoming)} ({columns}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(command.encode()) as copy:
        for row in rows:
            copy.write_row(row)
    moved = postgresql.insert(table).from_select(names, select(incoming))
    connection.execute(_on_conflict(moved, table))
