"""Deleting tap rows: whole days by dropping their table where there is one, else in batches."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Engine, Table, and_, func, or_, select, text

from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.tap_partitions import day_tables, drop_day

DAY_MS = 86_400_000
UNKNOWN_TAP_DAYS = 30
"""Days that the rows of a tap are kept whose file is gone."""

SAMPLED_ROWS = 500
"""Rows by which the size of a row is judged."""


class Kept(msgspec.Struct, frozen=True):
    """How long and how many rows of a tap are kept; ``age`` in milliseconds."""

    age: int
    rows: int | None = None
    bytes: int | None = None


UNKNOWN = Kept(UNKNOWN_TAP_DAYS * DAY_MS)


def drop_old_days(engine: Engine, table: Table, now_ms: int, kept: Iterable[Kept]) -> int:
    """Drop the tables of days that no tap keeps any more; returns the rows that were in them.

    Raises:
        DatabaseError: the database does not answer.
    """
    longest = max(one.age for one in (*kept, UNKNOWN))
    oldest = (datetime.fromtimestamp(now_ms / 1000, UTC) - timedelta(milliseconds=longest)).date()
    return sum(
        drop_day(engine, name) for name, day in day_tables(engine, table.name) if day < oldest
    )


def old_rows(
    engine: Engine, table: Table, now_ms: int, kept: Mapping[str, Kept]
) -> Iterator[ColumnElement[bool]]:
    """Conditions that hold for the rows to delete.

    A row that several taps took is kept as long as the one that keeps it longest.

    Raises:
        DatabaseError: the database does not answer.
    """
    age = func.coalesce(table.c.arrived_at, table.c.occurred_at, type_=table.c.arrived_at.type)
    with reading(engine) as connection:
        names = connection.execute(select(table.c.tap).distinct()).scalars().all()
    old = []
    for name in names:
        takers = [kept.get(one, UNKNOWN) for one in name.split(",")]
        mine = table.c.tap == name
        old.append(and_(mine, age < now_ms - max(one.age for one in takers)))
        if all(one.rows or one.bytes for one in takers):
            limit = max(_most_rows(engine, table, one) for one in takers)
            first = _first_kept(engine, table, name, limit)
            if first is not None:
                old.append(and_(mine, age < first))
    if old:
        yield or_(*old)


def _most_rows(engine: Engine, table: Table, kept: Kept) -> int:
    """Rows that a tap may keep in a table, by their number and by their bytes."""
    limits = [] if kept.rows is None else [kept.rows]
    if kept.bytes is not None:
        limits.append(max(1, int(kept.bytes / _row_bytes(engine, table))))
    return min(limits)


def _row_bytes(engine: Engine, table: Table) -> float:
    """About what a row takes, judged by some of them."""
    some = select(text("*")).select_from(table).limit(SAMPLED_ROWS)
    with reading(engine) as connection:
        rows = connection.execute(some).all()
    sizes = [sum(_bytes(value) for value in row) for row in rows]
    return max(1.0, sum(sizes) / len(sizes)) if sizes else 1.0


def _bytes(value: object) -> int:
    return len(str(value)) + 1 if isinstance(value, str | dict) else 8


def _first_kept(engine: Engine, table: Table, tap: str, limit: int) -> int | None:
    """The age from which rows are within the newest so many; ``None`` if all are."""
    age = func.coalesce(table.c.arrived_at, table.c.occurred_at, type_=table.c.arrived_at.type)
    query = select(age).where(table.c.tap == tap).order_by(age.desc()).limit(1).offset(limit - 1)
    with reading(engine) as connection:
        found = connection.execute(query).scalar_one_or_none()
    return None if found is None else int(found)
