"""Writing many rows at once: INSERTs of many rows on SQLite, COPY on PostgreSQL.

On SQLite a statement of 200 rows takes three quarters of the time of 200 statements.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Dialect, MetaData, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql.dml import Insert

COPY_FROM = 500
"""Rows from which COPY into a temporary table beats single INSERTs."""

ROWS_AT_ONCE = 200
"""Rows of one INSERT on SQLite, if it takes as many parameters."""

ALIKE_AT_ONCE = 50
"""The same where columns with the same value in all rows are sent once. Which ones those are
differs, so that the statement may be new; preparing it takes as long as inserting its rows."""

Values = tuple[Any, ...]
"""One row: a value for each column of its table, in the table's order, as drivers take them."""


class TableColumns(msgspec.Struct, frozen=True):
    """Rows of one table, column by column.

    Attributes:
        table: where they go; its keys are kept.
        names: the columns that they hold, in the table's order; NULL in the others.
        columns: the values of each, all of the same length.
        same: places of columns that hold the same value in all rows; at least one does not.
        days: of tap rows, the days of their arrival.
    """

    table: Table
    names: tuple[str, ...]
    columns: Sequence[Sequence[object]]
    same: frozenset[int] = frozenset()
    days: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.columns[0])


def column_names(table: Table) -> tuple[str, ...]:
    """The columns of a table."""
    return tuple(column.name for column in table.columns)


def write(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows into a table whose ``info`` says what happens to a key that is there already.

    ``keep`` leaves the stored row, so that writing a row twice changes nothing; ``replace``
    overwrites it, and where ``version`` names a column, only by a version that is not lower.
    """
    if table.info["conflict"] == "replace":
        rows = _one_for_each_key(table, rows)
    names = column_names(table)
    most = _most_parameters(connection) // len(names)
    together = min(ROWS_AT_ONCE, most)
    whole = len(rows) - len(rows) % together if most else 0
    if whole:
        text = _insert_text(table, names, connection.dialect, 0, together)
        values = [
            tuple(chain.from_iterable(rows[begin : begin + together]))
            for begin in range(0, whole, together)
        ]
        connection.exec_driver_sql(text, values)
    _write_each(connection, table, names, rows[whole:])


def write_columns(connection: Connection, given: TableColumns) -> None:
    """Insert rows that are given as columns, as `write` does; the stored row stays."""
    table, names, columns, same = given.table, given.names, given.columns, given.same
    varying = [place for place in range(len(names)) if place not in same]
    most = (_most_parameters(connection) - len(same)) // len(varying)
    together = min(ALIKE_AT_ONCE, most)
    statements = len(given) // together if most > 0 else 0
    if statements:
        ordered = tuple(names[place] for place in (*sorted(same), *varying))
        text = _insert_text(table, ordered, connection.dialect, len(same), together)
        once = [columns[place][0] for place in sorted(same)]
        # `zip` makes one tuple for all rows, since none is kept.
        rows = zip(*[columns[place] for place in varying], strict=True)
        values = [
            tuple(chain(once, chain.from_iterable(islice(rows, together))))
            for _ in range(statements)
        ]
        connection.exec_driver_sql(text, values)
    begin = statements * together if statements else 0
    rest = list(zip(*[column[begin:] for column in columns], strict=True))
    _write_each(connection, table, names, rest)


def _most_parameters(connection: Connection) -> int:
    """Parameters that one statement takes, on SQLite; on PostgreSQL rows are copied instead."""
    if connection.dialect.name != "sqlite":
        return 0
    driver: Any = connection.connection.driver_connection
    most: int = driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    return most


def _write_each(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Values]
) -> None:
    if connection.dialect.name == "postgresql" and len(rows) >= COPY_FROM:
        _copy(connection, table, names, rows)
    elif rows:
        connection.exec_driver_sql(_insert_text(table, names, connection.dialect), list(rows))


def _one_for_each_key(table: Table, rows: Sequence[Values]) -> list[Values]:
    """The newest row of every key, since PostgreSQL refuses to touch a row twice at once.

    Sorted, so that two workers lock rows in the same order and never wait for each other.
    """
    names = column_names(table)
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
@lru_cache(maxsize=512)
def _insert_text(
    table: Table, names: tuple[str, ...], dialect: Dialect, same: int = 0, together: int = 1
) -> str:
    """An INSERT of several rows, of which the first columns are given once, the same for all."""
    statement = _on_conflict(insert_into(table, dialect), table)
    text = str(statement.compile(dialect=dialect, column_keys=names))
    if not same and together == 1:
        return text
    # The parameters that are alike come first: SQLite numbers those without a number on from there.
    marks = [*(f"?{number}" for number in range(1, same + 1)), *["?"] * (len(names) - same)]
    quote = dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, names))
    rows = ", ".join([f"({', '.join(marks)})"] * together)
    insert, _, behind = text.partition(" (")
    on_conflict = behind.partition(f"({', '.join('?' * len(names))})")[2]
    return f"{insert} ({columns}) VALUES {rows}{on_conflict}"


@lru_cache(maxsize=256)
def _incoming(table: Table, names: tuple[str, ...]) -> Table:
    # No keys and no constraints: the real table checks them when the rows move on.
    columns = [Column(name, table.columns[name].type) for name in names]
    return Table(f"incoming_{table.name}", MetaData(), *columns, prefixes=["TEMPORARY"])


def _copy(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Values]
) -> None:
    incoming = _incoming(table, names)
    connection.execute(CreateTable(incoming))
    quoted = connection.dialect.identifier_preparer
    columns = ", ".join(quoted.quote(name) for name in names)
    command = f"COPY {quoted.format_table(incoming)} ({columns}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(command.encode()) as copy:
        for row in rows:
            copy.write_row(row)
    moved = postgresql.insert(table).from_select(list(names), select(incoming))
    connection.execute(_on_conflict(moved, table))
    # The same flush may bring rows with other columns for this table.
    connection.execute(DropTable(incoming))
