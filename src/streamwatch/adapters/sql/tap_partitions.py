"""Tap tables by day on PostgreSQL, so that old rows go by dropping a day's table.

A day near the present has a table of its own, made before the first flush that needs it; every
other day's rows lie in the table ``…_other``, from which they are deleted in batches. On SQLite
there is nothing to do.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, text

from streamwatch.adapters.sql.bulk import TableColumns
from streamwatch.adapters.sql.engine import reading, writing
from streamwatch.errors import DatabaseError

BACK_DAYS = 60
AHEAD_DAYS = 2
OTHER = "other"
_LOCK = 7_316_204
"""PostgreSQL's advisory lock under which only one worker makes tables; any number serves."""


class TapPartitions:
    """Makes the tables of days, each once; remembers which are there."""

    def __init__(self, engine: Engine, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._made: set[tuple[str, str]] = set()

    def make_for(self, given: Iterable[TableColumns]) -> None:
        """Make the tables of the days that occur in these rows.

        Each in a transaction of its own: it waits for writers of the whole table, and a wait
        with another table's lock in hand could be for ever.

        Raises:
            DatabaseError: the database does not answer.
        """
        if self._engine.dialect.name != "postgresql":
            return
        today = datetime.fromtimestamp(self._now_ms() / 1000, UTC).date()
        for one in given:
            table = one.table
            for day in one.days:
                if (table.name, day) not in self._made:
                    if _is_near(date.fromisoformat(day), today):
                        _make(self._engine, table.name, date.fromisoformat(day))
                    self._made.add((table.name, day))


def day_tables(engine: Engine, table: str) -> Iterator[tuple[str, date]]:
    """The tables of single days that a tap table consists of, and their days.

    Raises:
        DatabaseError: the database does not answer.
    """
    if engine.dialect.name != "postgresql":
        return
    query = text(
        "SELECT child.relname FROM pg_inherits "
        "JOIN pg_class AS child ON child.oid = inhrelid "
        "JOIN pg_class AS parent ON parent.oid = inhparent "
        "WHERE parent.relname = :table AND parent.relnamespace = current_schema()::regnamespace "
        "ORDER BY child.relname"
    )
    with reading(engine) as connection:
        names = connection.execute(query, {"table": table}).scalars().all()
    for name in names:
        written = name.rpartition("_")[2]
        if written.isdigit():
            yield name, datetime.strptime(written, "%Y%m%d").replace(tzinfo=UTC).date()


def drop_day(engine: Engine, name: str) -> int:
    """Drop the table of a day; returns how many rows it held.

    Raises:
        DatabaseError: the database does not answer.
    """
    with writing(engine) as connection:
        rows = connection.execute(select(func.count()).select_from(text(name))).scalar_one()
        connection.execute(text(f"DROP TABLE {name}"))
    return int(rows)


def other_table(connection: Connection, table: str) -> None:
    """Make the table for days that have none of their own."""
    connection.execute(
        text(f"CREATE TABLE IF NOT EXISTS {table}_{OTHER} PARTITION OF {table} DEFAULT")
    )


def _is_near(day: date, today: date) -> bool:
    return today - timedelta(days=BACK_DAYS) <= day <= today + timedelta(days=AHEAD_DAYS)


def _make(engine: Engine, table: str, day: date) -> None:
    name = f"{table}_{day:%Y%m%d}"
    until = day + timedelta(days=1)
    try:
        with writing(engine) as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            connection.execute(
                text(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} "
                    f"FOR VALUES FROM ('{day}') TO ('{until}')"
                )
            )
    except DatabaseError as error:
        # Rows of this day lie in the other table already, where the day then stays.
        if "would be violated" not in str(error):
            raise
