"""Tap tables into one Parquet file, for DuckDB, polars, pandas and whatever else reads it."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Date, Engine, Table, func, select
from sqlalchemy.types import BigInteger, Boolean, Double, Integer

from streamwatch.adapters.extras import needed
from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.tap_schema import readable_tap_tables
from streamwatch.adapters.sql.timestamps import Timestamp
from streamwatch.domain.findings import did_you_mean
from streamwatch.domain.settings import Settings
from streamwatch.errors import ConfigurationError

ROWS_AT_ONCE = 20_000
STAGE = "stage"
REPEATED = (STAGE, "topic", "shop", "tap", "category", "gender", "currency", "app_version")
"""Columns with few values, which are kept as a dictionary."""

VERSION = "1"
"""Of the file's columns and their meaning; it stands in the file's metadata."""


class Wanted(msgspec.Struct, frozen=True):
    """Which rows are exported.

    Attributes:
        event: the event type.
        stages: only these; empty for all that have a table.
        shops: only these; empty for all.
        since, until: event times (arrivals, where a stage knows no event time) from the one and
            before the other, milliseconds since 1970 UTC.
    """

    event: str
    stages: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


def export_taps(engine: Engine, settings: Settings, wanted: Wanted, to: Path) -> dict[str, int]:
    """Write the rows, stage by stage; returns stage → rows.

    The file has all columns of all stages, with ``stage`` in front; what a stage does not have is
    null. It appears under its name when it is whole.

    Raises:
        ConfigurationError: pyarrow is not installed, there is no such stage, or the file cannot
            be written.
        DatabaseError: the database does not answer.
    """
    pa, pq = needed("pyarrow", "parquet"), needed("pyarrow.parquet", "parquet")
    draft = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        with reading(engine) as connection:
            tables = _tables(connection, settings, wanted)
            schema = _schema(pa, tables.values())
            with pq.ParquetWriter(draft, schema, compression="zstd") as writer:
                counts = {
                    stage: _write(pa, writer, schema, _rows(connection, table, stage, wanted))
                    for stage, table in tables.items()
                }
        draft.replace(to)
    except OSError as error:
        raise ConfigurationError(f"{to}: cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return counts


def _tables(connection: Connection, settings: Settings, wanted: Wanted) -> Mapping[str, Table]:
    tables = readable_tap_tables(connection, settings, wanted.event)
    for stage in wanted.stages:
        if stage not in tables:
            hint = did_you_mean(stage, tables)
            raise ConfigurationError(f"{wanted.event} has no stage `{stage}`{hint}")
    return {
        stage: table
        for stage, table in tables.items()
        if not wanted.stages or stage in wanted.stages
    }


def _schema(pa: Any, tables: Iterable[Table]) -> Any:
    kinds = {STAGE: _kind(pa, STAGE, None)}
    for table in tables:
        for column in table.columns:
            kinds.setdefault(column.name, _kind(pa, column.name, column.type))
    metadata = {"streamwatch.taps": VERSION}
    return pa.schema([pa.field(name, kind) for name, kind in kinds.items()], metadata)


def _kind(pa: Any, name: str, type_: Any) -> Any:
    if isinstance(type_, Timestamp):
        return pa.timestamp("ms", "UTC")
    for sql, arrow in (
        (BigInteger, pa.int64()),
        (Integer, pa.int64()),
        (Double, pa.float64()),
        (Boolean, pa.bool_()),
        (Date, pa.date32()),
    ):
        if isinstance(type_, sql):
            return arrow
    return pa.dictionary(pa.int32(), pa.string()) if name in REPEATED else pa.string()


def _rows(
    connection: Connection, table: Table, stage: str, wanted: Wanted
) -> Iterator[Mapping[str, Any]]:
    query = select(table)
    columns = table.columns
    if wanted.shops:
        query = query.where(columns.shop.in_(wanted.shops))
    # Before `validate` the event's own time is not known.
    moment = func.coalesce(columns.occurred_at, columns.arrived_at)
    if wanted.since is not None:
        query = query.where(moment >= wanted.since)
    if wanted.until is not None:
        query = query.where(moment < wanted.until)
    query = query.order_by(*table.primary_key.columns)
    result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
    for row in result.mappings():
        overflow = row["overflow"]
        yield {
            **row,
            STAGE: stage,
            "overflow": overflow if overflow is None else json.dumps(overflow),
        }


def _write(pa: Any, writer: Any, schema: Any, rows: Iterator[Mapping[str, Any]]) -> int:
    count = 0
    for batch in _batches(rows):
        writer.write_table(pa.Table.from_pylist(batch, schema))
        count += len(batch)
    return count


def _batches(rows: Iterator[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch
