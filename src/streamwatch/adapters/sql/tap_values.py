"""Tap rows as tuples, column by column: a tap may copy every record, so this must be cheap.

A column whose values are all of its type, as nearly always, is checked as a whole and taken as
it is; otherwise its values are looked at one by one. A value without a column, or of another
type than its column, goes to ``overflow``.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, repeat
from typing import Any

import msgspec
from sqlalchemy import Table

from streamwatch.adapters.sql.bulk import TableColumns, column_names
from streamwatch.adapters.sql.fit import INTEGERS, fit_text
from streamwatch.adapters.sql.tap_tables import TIMES
from streamwatch.adapters.sql.timestamps import (
    arrival_days,
    arrival_texts,
    timestamp_text,
    timestamp_texts,
)
from streamwatch.domain.rows import TapRows, Value

Overflow = defaultdict[int, dict[str, Value]]
"""Place of the row in its batch → what does not fit its columns."""


def tap_columns(table: Table, given: Iterable[TapRows]) -> Iterator[TableColumns]:
    """The rows of one tap table, those with the same columns together."""
    alike: dict[tuple[str, ...], list[TapRows]] = {}
    for one in given:
        if len(one):
            alike.setdefault(one.names, []).append(one)
    for names, parts in alike.items():
        yield _table_columns(table, names, parts)


def _table_columns(table: Table, names: Sequence[str], parts: Sequence[TapRows]) -> TableColumns:
    kinds: Mapping[str, type] = table.info["kinds"]
    columns = zip(*chain.from_iterable(part.values for part in parts), strict=True)
    offsets, ids, shops, occurred, arrivals = islice(columns, 5)
    topics, partitions, epochs, taps = zip(
        *chain.from_iterable(
            repeat((fit_text(part.topic), part.partition, part.epoch, part.tap), len(part))
            for part in parts
        ),
        strict=True,
    )
    days = arrival_days(arrivals)
    written: dict[str, Sequence[object]] = {
        "topic": topics,
        "partition": partitions,
        "epoch": epochs,
        "record_offset": offsets,
        "arrived_day": days,
        "event_id": _fit_texts(ids),
        "shop": _fit_texts(shops),
        "occurred_at": timestamp_texts(occurred),
        "arrived_at": arrival_texts(arrivals),
        "tap": taps,
    }
    overflow: Overflow = defaultdict(dict)
    for name, values in zip(names, columns, strict=True):
        if name in kinds:
            written[name] = _column(name, kinds[name], values, overflow)
        else:
            for place, value in enumerate(values):
                overflow[place][name] = value
    if overflow:
        texts: list[str | None] = [None] * len(offsets)
        for place, left in overflow.items():
            texts[place] = _overflow_text(left)
        written["overflow"] = texts
    ordered = tuple(name for name in column_names(table) if name in written)
    found = [written[name] for name in ordered]
    same = frozenset(
        place
        for place, values in enumerate(found)
        if ordered[place] != "record_offset" and _is_one_value(values)
    )
    return TableColumns(table, ordered, found, same, frozenset(days))


def _is_one_value(values: Sequence[object]) -> bool:
    first = values[0]
    return first == values[-1] and values.count(first) == len(values)


def _column(name: str, kind: type, values: Sequence[Value], overflow: Overflow) -> Sequence[object]:
    if _is_plain(kind, values):
        return values
    if name in TIMES and set(map(type, values)) == {int}:
        texts = timestamp_texts(values)  # type: ignore[arg-type]
        if None not in texts:
            return texts
    read = _READERS["time" if name in TIMES else kind]
    fitting = [None if value is None else read(value) for value in values]
    for place, value in enumerate(values):
        if value is not None and fitting[place] is None:
            overflow[place][name] = value
    return fitting


def _is_plain(kind: type, values: Sequence[Value]) -> bool:
    """Whether the driver can take the whole column as it is."""
    types = set(map(type, values))
    there: Sequence[Any] = values
    if type(None) in types:
        types.discard(type(None))
        there = [value for value in values if value is not None]
    if not types:
        return True
    if types == {str} == {kind}:
        return _all_fit(there)
    # A sum of huge numbers may overflow: then they are looked at one by one, which is right too.
    return types == {float} == {kind} and math.isfinite(sum(there))


def _all_fit(texts: Sequence[str]) -> bool:
    together = "".join(texts)
    return together.isascii() and "\0" not in together


def _fit_texts(texts: Sequence[str]) -> Sequence[str]:
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
