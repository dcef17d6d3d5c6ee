"""Parquet, with the extra ``parquet``: each row becomes a JSON object with typed values."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from streamwatch.adapters.files.routes import Routes
from streamwatch.adapters.files.row_lines import compile_columns
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.errors import ConfigurationError

_ROWS_AT_ONCE = 10_000


def read_parquet(path: str, routes: Routes, name: str) -> Iterator[SourceLine]:
    """The rows of a file, a row group at a time; nulls are left out, times become RFC 3339.

    Times without a zone are taken as UTC.

    Raises:
        ConfigurationError: pyarrow is not installed, or this is no Parquet file.
    """
    try:
        pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise ConfigurationError(
            f"{path}: Parquet needs one more package: pip install 'streamwatch[parquet]'"
        ) from error
    first = 1
    try:
        with pq.ParquetFile(path) as file:
            to_lines = compile_columns(routes, name, file.schema_arrow.names)
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                columns = [column.to_pylist() for column in _plain_times(pa, batch).columns]
                yield from to_lines(columns, first)
                first += batch.num_rows
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigurationError(f"{path}: is no Parquet file that can be read: {error}") from error


def _plain_times(pa: Any, batch: Any) -> Any:
    """The batch with its timestamps in microseconds and UTC, which Python can hold."""
    if not any(pa.types.is_timestamp(field.type) for field in batch.schema):
        return batch
    fields = [
        field.with_type(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(field.type) else field
        for field in batch.schema
    ]
    return batch.cast(pa.schema(fields), safe=False)
