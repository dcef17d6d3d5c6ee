"""A series in a CSV file: timestamp, value and perhaps shop, row by row."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC

import msgspec

from streamwatch.adapters.files.opening import open_bytes
from streamwatch.domain.findings import did_you_mean
from streamwatch.errors import ConfigurationError
from streamwatch.stages.when import event_time_ms

COLUMNS = ("timestamp", "value", "shop")
_DELIMITERS = ",;\t|"


class SeriesRow(msgspec.Struct, frozen=True):
    """A row.

    Attributes:
        timestamp, value: as they stand in the file.
        time: milliseconds since 1970 UTC; ``None`` if the timestamp cannot be read.
        number: the value, NaN if it is none.
        shop: empty in a file without that column.
    """

    timestamp: str
    value: str
    time: int | None
    number: float
    shop: str


@contextmanager
def open_series(path: str) -> Iterator[tuple[bool, Iterator[SeriesRow]]]:
    """Whether the file has shops, and its rows in their order; plain or gzip, ``-`` for stdin.

    Raises:
        ConfigurationError: the file cannot be read, or lacks timestamp or value.
    """
    with open_bytes(path) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="")
        head = text.readline(1 << 20)
        delimiter = max(_DELIMITERS, key=head.count)
        names = next(csv.reader([head], delimiter=delimiter), [])
        columns = [name.strip().lower() for name in names]
        places = _places(columns, path)
        yield places[2] is not None, _rows(csv.reader(text, delimiter=delimiter), places)
        text.detach()


def _places(columns: Sequence[str], path: str) -> tuple[int, int, int | None]:
    for name in COLUMNS[:2]:
        if name not in columns:
            near = did_you_mean(name, [column for column in columns if column])
            raise ConfigurationError(
                f"{path}:1: no column `{name}`{near}; the first line must name the columns "
                "timestamp,value and, for several series, shop"
            )
    shop = columns.index("shop") if "shop" in columns else None
    return columns.index("timestamp"), columns.index("value"), shop


def _rows(reader: Iterator[list[str]], places: tuple[int, int, int | None]) -> Iterator[SeriesRow]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = ["(not readable)"]
        if not cells:
            continue
        timestamp, value, shop = (
            "" if place is None or place >= len(cells) else cells[place].strip() for place in places
        )
        yield SeriesRow(timestamp, value, _time(timestamp), _number(value), shop)


def _time(text: str) -> int | None:
    return event_time_ms(text, lambda _: UTC, "") if text else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
