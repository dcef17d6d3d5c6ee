"""Tap rows as tuples, column by column: a tap may copy every record, so this must be cheap.

A column whose values are all of its type, as nearly always, is checked as a whole and taken as
it is; otherwise its values are looked at one by one. A value without a column, or of another
type than its column, goes to ``overflow``.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table

from streamwatch.adapters.sql.bulk import Values
from streamwatch.adapters.sql.fit import INTEGERS, fit_text
from streamwatch.adapters.sql.tap_tables import TIMES
from streamwatch.adapters.sql.timestamps import (
    arrival_days,
    arrival_texts,
    timestamp_text,
    timestamp_texts,
)
from streamwatch.domain.rows import TapRow, Value

Overflow = defaultdict[int, dict[str, Value]]
"""Place of the row in its batch → what does not fit its columns."""


def tap_values(table: Table, rows: Sequence[TapRow]) -> list[Values]:
    """The tuples of the rows of one tap table, in the order of its columns."""
    kinds: Mapping[str, type] = table.info["kinds"]
    given = [row.columns for row in rows]
    overflow: Overflow = defaultdict(dict)
    # The rows of one tap hold the same columns, so there are very few lists of names.
    names = {*map(tuple, given)}
    everywhere = set.intersection(*map(set, names)) if names else set()
    anywhere = {name for some in names for name in some}
    if not anywhere <= kinds.keys():
        for place, columns in enumerate(given):
            unknown = columns.keys() - kinds.keys()
            if unknown:
                overflow[place].update({name: columns[name] for name in unknown})
    nothing: list[Value] = [None] * len(rows)
    columns_of_event: list[Sequence[object]] = []
    for name, kind in kinds.items():
        if name not in anywhere:
            columns_of_event.append(nothing)
            continue
        values = (
            [columns[name] for columns in given]
            if name in everywhere
            else [columns.get(name) for columns in given]
        )
        columns_of_event.append(_column(name, kind, values, overflow))
    arrivals = [row.arrived_at for row in rows]
    overflow_texts: list[str | None] = [None] * len(rows)
    for place, left in overflow.items():
        overflow_texts[place] = _overflow_text(left)
    return list(
        zip(
            _fit_texts([row.topic for row in rows]),
            [row.partition for row in rows],
            [row.epoch for row in rows],
            [row.offset for row in rows],
            arrival_days(arrivals),
            _fit_texts([row.event_id for row in rows]),
            _fit_texts([row.shop for row in rows]),
            timestamp_texts([row.occurred_at for row in rows]),
            arrival_texts(arrivals),
            [row.tap for row in rows],
            overflow_texts,
            *columns_of_event,
            strict=True,
        )
    )


def _column(name: str, kind: type, values: list[Value], overflow: Overflow) -> Sequence[object]:
    if _is_plain(kind, values):
        return values
    read = _READERS["time" if name in TIMES else kind]
    fitting = [None if value is None else read(value) for value in values]
    for place, value in enumerate(values):
        if value is not None and fitting[place] is None:
            overflow[place][name] = value
    return fitting


def _is_plain(kind: type, values: list[Value]) -> bool:
    """Whether the driver can take the whole column as it is."""
    types = set(map(type, values))
    there: list[Any] = values
    if type(None) in types:
        types.discard(type(None))
        there = [value for value in values if value is not None]
    if not types:
        return True
    if types == {str} == {kind}:
        return _all_fit(there)
    # A sum of huge numbers may overflow: then they are looked at one by one, which is right too.
    return types == {float} == {kind} and math.isfinite(sum(there))


def _all_fit(texts: list[str]) -> bool:
    together = "".join(texts)
    return together.isascii() and "\0" not in together


def _fit_texts(texts: list[str]) -> list[str]:
    return texts if _all_fit(texts) else [fit_text(text) for text in texts]


def _overflow_text(values: Mapping[str, Value]) -> str:
    safe = {
        fit_text(name): value if _stands_in_json(value) else fit_text(str(value))
        for name, value in values.items()
    }
    return msgspec.json.encode(safe).decode()


def _stands_in_json(value: Value) -> bool:
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return value in INTEGERS
    return isinstance(value, float) and math.isfinite(value)


def _read_text(value: Value) -> str | None:
    return fit_text(value) if isinstance(value, str) else None


def _read_number(value: Value) -> float | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    whole = _read_integer(value)
    return None if whole is None else float(whole)


def _read_integer(value: Value) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value in INTEGERS:
        return value
    return None


def _read_truth(value: Value) -> bool | None:
    return value if isinstance(value, bool) else None


def _read_time(value: Value) -> str | None:
    return timestamp_text(_read_integer(value))


_READERS: Mapping[type | str, Callable[[Value], object]] = {
    str: _read_text,
    float: _read_number,
    int: _read_integer,
    bool: _read_truth,
    "time": _read_time,
}
