"""Samples of a file's or a topic's records, for `streamwatch init`."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from streamwatch.adapters.files.opening import STANDARD_INPUT
from streamwatch.adapters.files.reader import Format, read_file
from streamwatch.errors import ConfigurationError
from streamwatch.onboarding.sample import MOST_ROWS, Row, Sample

MOST_LINES = 1_000_000
"""Lines that are read at most; the sample is spread evenly over them."""


def sample_file(path: str, form: Format = "auto", room: int = MOST_ROWS) -> dict[str, Sample]:
    """Topic → sample of its lines; the empty topic for lines that name none.

    Raises:
        ConfigurationError: the file cannot be read, is standard input, or holds no object.
    """
    if path == STANDARD_INPUT:
        raise ConfigurationError("init looks at its input twice, so that it needs a file, not -")
    samples: dict[str, Sample] = {}
    for line in islice(read_file(path, form=form, otherwise=""), MOST_LINES):
        row = row_of(line.value)
        if row is not None:
            samples.setdefault(line.topic, Sample(room)).add(row)
    if not samples:
        raise ConfigurationError(f"{path}: holds no record: JSON objects, or a table with a header")
    return samples


def sample_values(values: Iterable[bytes | None], room: int = MOST_ROWS) -> Sample:
    """The sample of JSON values; what is no object is passed over."""
    sample = Sample(room)
    for row in _rows(values):
        sample.add(row)
    return sample


def row_of(value: bytes | None) -> Row | None:
    """The object that a value holds, if it holds one."""
    if value is None:
        return None
    try:
        row: Any = msgspec.json.decode(value)
    except (ValueError, RecursionError, msgspec.DecodeError):
        return None
    return row if isinstance(row, dict) else None


def _rows(values: Iterable[bytes | None]) -> Iterator[Row]:
    found = map(row_of, values)
    return (row for row in found if row is not None)
