"""Columns: what the values under each key of the sampled records look like."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

import msgspec
import numpy as np

from streamwatch.onboarding.sample import Row
from streamwatch.stages.mapping import inches_from_text
from streamwatch.stages.when import EARLIEST_MS, event_time_ms

MOST_PATHS = 300
DEEPEST = 6
MOST_TOLD = 12
"""The most frequent values that a column keeps."""

TIMES_TRIED = 400
LATEST_MS = 4_102_444_800_000
"""2100-01-01: a number beyond it is no time."""

_NUMBER = re.compile(r"\s*[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?\s*")
_ZONE = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$")


class Column(msgspec.Struct, frozen=True):
    """The values under one path of keys.

    Attributes:
        path: keys joined by dots.
        values: one for each sampled record; ``None`` where there is none or an empty text.
        present: how many there are.
        numbers: those that are numbers, or text that is one; NaN elsewhere.
        as_text: how many numbers stand there as text.
        feet: how many are lengths in feet and inches, such as ``5'11``.
        times: share of the values that can be read as a time.
        zoned: share of the values that are numbers or carry an offset from UTC.
        distinct: how many different values.
        top: the most frequent values as text, with their counts.
    """

    path: str
    values: Sequence[Any]
    present: int
    numbers: np.ndarray[Any, np.dtype[np.float64]]
    as_text: int
    feet: int
    times: float
    zoned: float
    distinct: int
    top: tuple[tuple[str, int], ...]

    @property
    def missing(self) -> float:
        """Share of the records without a value."""
        return 1 - self.present / max(1, len(self.values))

    @property
    def numeric(self) -> float:
        """Share of the values that are numbers."""
        return int(np.isfinite(self.numbers).sum()) / max(1, self.present)

    def quantile(self, share: float) -> float:
        """The number below which a share of the numbers lies; NaN without any."""
        found = self.numbers[np.isfinite(self.numbers)]
        return float(np.quantile(found, share)) if len(found) else math.nan


def columns_of(rows: Sequence[Row]) -> dict[str, Column]:
    """Path → column, in the order in which the paths first appear.

    >>> columns = columns_of([{"id": "a", "body": {"h": "170"}}, {"id": "b"}])
    >>> columns["body.h"].quantile(0.5), columns["body.h"].missing, columns["id"].distinct
    (170.0, 0.5, 2)
    """
    values: dict[str, list[Any]] = {}
    for place, row in enumerate(rows):
        for path, value in _leaves(row):
            if path not in values:
                if len(values) >= MOST_PATHS:
                    continue
                values[path] = [None] * len(rows)
            values[path][place] = value
    return {path: _column(path, found) for path, found in values.items()}


def _leaves(row: Row, before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every single value with its path; a key with a dot cannot be named and is left out."""
    for key, value in row.items():
        if "." in key or not key or value is None or value == "":
            continue
        path = before + key
        if isinstance(value, dict):
            if depth < DEEPEST:
                yield from _leaves(value, f"{path}.", depth + 1)
        elif isinstance(value, str | int | float):
            yield path, value


def _column(path: str, values: list[Any]) -> Column:
    given = [value for value in values if value is not None]
    counts = Counter(map(str, given))
    texts = [value for value in given if isinstance(value, str)]
    tried = given[:: max(1, len(given) // TIMES_TRIED)]
    times = sum(_is_time(value) for value in tried)
    zoned = sum(not isinstance(value, str) or bool(_ZONE.search(value)) for value in tried)
    return Column(
        path=path,
        values=values,
        present=len(given),
        numbers=np.array([_number(value) for value in values], dtype=np.float64),
        as_text=sum(_NUMBER.fullmatch(text) is not None for text in texts),
        feet=sum(inches_from_text(text) is not None for text in texts),
        times=times / max(1, len(tried)),
        zoned=zoned / max(1, len(tried)),
        distinct=len(counts),
        top=tuple(counts.most_common(MOST_TOLD)),
    )


def _number(value: Any) -> float:
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else math.nan
    return math.nan if value is None or isinstance(value, bool) else float(value)


def _is_time(value: Any) -> bool:
    found = None if isinstance(value, bool) else event_time_ms(value, lambda _: UTC, "")
    return found is not None and EARLIEST_MS <= found <= LATEST_MS
