"""The runner's `Store` in SQL: state, rows and fence of a flush in one transaction."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    delete,
    select,
    tuple_,
    update,
)

from streamwatch.adapters.sql.bulk import Values, insert_into, write, write_columns
from streamwatch.adapters.sql.engine import reading, writing
from streamwatch.adapters.sql.fit import fit_text
from streamwatch.adapters.sql.rows import TapTables, rows_by_table
from streamwatch.adapters.sql.sleepers import end_sleepers, waited_in_vain
from streamwatch.adapters.sql.tables import ACCOUNTING, FENCES, STATES
from streamwatch.adapters.sql.tap_partitions import TapPartitions
from streamwatch.adapters.sql.tap_tables import TAP_TABLES
from streamwatch.adapters.sql.timestamps import timestamp_text
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.records import PartitionId
from streamwatch.errors import DatabaseError, FenceLostError
from streamwatch.runner.ports import Flush, Stored


def wall_clock_ms() -> int:
    """Milliseconds since 1970 UTC, for the columns that say when a row was written."""
    return time.time_ns() // 1_000_000


class SqlStore:
    """State, fences and rows in SQLite or PostgreSQL.

    A flush is one transaction. Its first statement moves the fence if nobody else did, and
    so holds the partition's lock until everything else is written.

    Attributes:
        tap_tables: where tap rows go; replaced when taps or stages need other ones.
    """

    def __init__(self, engine: Engine, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._partitions = TapPartitions(engine, now_ms)
        self.tap_tables: TapTables = TAP_TABLES

    def load(self, partition: PartitionId) -> Stored:
        """All that is stored of a partition, of one moment.

        Raises:
            DatabaseError: the database does not answer or is not migrated.
        """
        with reading(self._engine) as connection:
            fence = connection.execute(
                select(FENCES.c.next_offset, FENCES.c.epoch, FENCES.c.topic_id).where(
                    _belongs(FENCES, partition)
                )
            ).one_or_none()
            values = _load_states(connection, partition)
            epoch = fence.epoch if fence else 0
            accounting = _load_accounting(connection, partition, epoch)
        return Stored(
            fence=fence.next_offset if fence else None,
            epoch=epoch,
            topic_id=fence.topic_id if fence else "",
            states=values,
            accounting=accounting,
        )

    def commit(self, flush: Flush) -> None:
        """Write a flush: all of it or nothing.

        Raises:
            FenceLostError: the stored fence or epoch is not the flush's; nothing was written.
            DatabaseError: the database does not answer or refuses; nothing was written.
        """
        # Made ready before the transaction, so that locks are held for the writing only.
        taps, rows = rows_by_table(flush.rows, self.tap_tables)
        self._partitions.make_for(taps)
        now = self._now_ms()
        try:
            with writing(self._engine) as connection:
                _move_fence(connection, flush, now)
                _change_states(connection, flush, now)
                for columns in taps:
                    write_columns(connection, columns)
                for table, values in rows:
                    write(connection, table, values)
                if flush.accounting is not None:
                    write(connection, ACCOUNTING, [_accounting_values(flush, flush.accounting)])
        except DatabaseError as error:
            if waited_in_vain(error):
                end_sleepers(self._engine)
            raise


def _belongs(table: Table, partition: PartitionId) -> ColumnElement[bool]:
    return and_(
        table.c.step == partition.step,
        table.c.topic == partition.topic,
        table.c.partition == partition.partition,
    )


def _load_states(connection: Connection, partition: PartitionId) -> dict[str, bytes]:
    """Every stored value by its key.

    PostgreSQL sends bytes as text with two digits each unless its binary format is asked for,
    which takes a quarter of the time.
    """
    wanted = select(STATES.c.key, STATES.c.value).where(_belongs(STATES, partition))
    if connection.dialect.name != "postgresql":
        return {key: bytes(value) for key, value in connection.execute(wanted)}
    asked: Any = wanted.compile(dialect=connection.dialect)
    driver: Any = connection.connection.driver_connection
    with driver.cursor(binary=True) as cursor:
        cursor.execute(str(asked).encode(), [asked.params[name] for name in asked.positiontup])
        return dict(cursor)


def _load_accounting(
    connection: Connection, partition: PartitionId, epoch: int
) -> Accounting | None:
    names = Accounting.__struct_fields__
    row = connection.execute(
        select(*(ACCOUNTING.c[name] for name in names)).where(
            _belongs(ACCOUNTING, partition), ACCOUNTING.c.epoch == epoch
        )
    ).one_or_none()
    return Accounting(*row) if row else None


def _move_fence(connection: Connection, flush: Flush, now: int) -> None:
    """Compare and swap; a fence of ``None`` creates the row, or takes over a lower epoch's."""
    moved = {
        "next_offset": flush.fence_new,
        "epoch": flush.epoch,
        "topic_id": flush.topic_id,
        "updated_at": now,
    }
    mine = update(FENCES).where(_belongs(FENCES, flush.partition)).values(moved)
    if flush.fence_old is not None:
        expected = and_(FENCES.c.next_offset == flush.fence_old, FENCES.c.epoch == flush.epoch)
        swapped = connection.execute(mine.where(expected)).rowcount == 1
    else:
        lower = mine.where(FENCES.c.epoch < flush.epoch)
        swapped = connection.execute(lower).rowcount == 1 or _create_fence(
            connection, flush.partition, moved
        )
    if not swapped:
        place = "unread" if flush.fence_old is None else f"at offset {flush.fence_old}"
        raise FenceLostError(
            f"{flush.partition} is no longer {place} in epoch {flush.epoch}: another worker "
            "owns it now; nothing was written"
        )


def _create_fence(connection: Connection, partition: PartitionId, moved: dict[str, object]) -> bool:
    insert = insert_into(FENCES, connection.dialect).values(
        step=partition.step, topic=partition.topic, partition=partition.partition, **moved
    )
    # RETURNING, since drivers do not agree on the count of rows that an INSERT wrote.
    created = connection.execute(insert.on_conflict_do_nothing().returning(FENCES.c.step))
    return created.one_or_none() is not None


def _change_states(connection: Connection, flush: Flush, now: int) -> None:
    partition = flush.partition
    place = (partition.step, partition.topic, partition.partition)
    written = timestamp_text(now)
    changed: list[Values] = []
    dropped: list[Values] = []
    for key, value in flush.changes.items():
        if value is None:
            dropped.append((*place, fit_text(key)))
        else:
            changed.append((*place, fit_text(key), value, written))
    write(connection, STATES, changed)
    keys = tuple_(STATES.c.step, STATES.c.topic, STATES.c.partition, STATES.c.key)
    for begin in range(0, len(dropped), 500):
        connection.execute(delete(STATES).where(keys.in_(dropped[begin : begin + 500])))


def _accounting_values(flush: Flush, counts: Accounting) -> Values:
    partition = flush.partition
    return (
        partition.step,
        partition.topic,
        partition.partition,
        flush.epoch,
        counts.first_offset,
        counts.next_offset,
        counts.records_in,
        counts.aggregated,
        counts.rejected,
        counts.dead_lettered,
        counts.duplicates,
        counts.gaps,
    )
