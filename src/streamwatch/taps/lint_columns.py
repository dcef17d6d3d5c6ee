"""Whether the columns of a tap make sense, and whether they would store who a shopper is."""

import re
from collections.abc import Iterator, Sequence

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.findings import Finding, Path, did_you_mean
from streamwatch.domain.tap_settings import ColumnShape, TapSettings
from streamwatch.taps.columns import ADDED, EVERY_ROW, IDENTITY, tap_columns

FIXED = frozenset({*EVERY_ROW, "epoch", "record_offset", "overflow"})
"""Names of columns that every tap table has."""

IDENTIFYING = re.compile(
    r"e?_?mail|phone|mobile|(first|last|full|sur)_?name|address|street|birth|customer|shopper|user|"
    r"person|login|passport|iban",
    re.IGNORECASE,
)
"""Names under which people put who somebody is."""

MOST_SHOWN = 6
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ADDED = frozenset(name for columns in ADDED.values() for name in columns)
_NO_IDENTITY = (
    f"`{IDENTITY}` is never written; use `pseudonym`, which is there from pseudonymise on"
)


def check_columns(
    tap: TapSettings, event_type: EventType, order: Sequence[str]
) -> Iterator[Finding]:
    """What cannot work about the columns; ``order`` names all stages."""
    stages = [stage for stage in tap.stages if stage in order]
    names: set[str] = set()
    for position, column in enumerate(tap.columns):
        path: Path = ("columns", position)
        if column == IDENTITY:
            yield Finding(path, f"column {_NO_IDENTITY}")
        elif column in EVERY_ROW:
            yield Finding(path, f"`{column}` is in every tap row already; leave it out")
        elif column in tap.columns[:position]:
            yield Finding(path, f"column `{column}` stands twice")
        else:
            lacking = [
                stage for stage in stages if column not in tap_columns(event_type, stage, order)
            ]
            if lacking:
                yield Finding(path, _no_column(column, lacking, event_type, order))
            shape = tap.shapes.get(column)
            if shape is not None:
                yield from _check_shape(column, shape, event_type, (*path, column))
            name = (shape.rename if shape else None) or column
            if name in names:
                yield Finding(path, f"two columns would be called `{name}`")
            names.add(name)
    if tap.columns and all(shape.drop for shape in tap.shapes.values()) and names:
        there = {name for stage in stages for name in tap_columns(event_type, stage, order)}
        if there and there <= {field for field, shape in tap.shapes.items() if shape.drop}:
            yield Finding(("columns",), "every column is dropped, so nothing would be written")


def _check_shape(
    column: str, shape: ColumnShape, event_type: EventType, path: Path
) -> Iterator[Finding]:
    ways = [way for way in ("drop", "hash", "bucket") if getattr(shape, way) not in (None, False)]
    if len(ways) > 1 or (shape.drop and shape.rename):
        text = f"column `{column}` has {' and '.join(ways)}; keep one of drop, hash, bucket"
        yield Finding(path, text)
    if column in _ADDED and (shape.rename or shape.hash or shape.bucket):
        text = f"`{column}` is made by a stage and is written as it is; it can only be dropped"
        yield Finding(path, text)
        return
    numeric = column in event_type.numbers
    if shape.hash and numeric:
        text = f"`{column}` is numeric: few numbers are easily guessed from a hash; use bucket"
        yield Finding((*path, "hash"), text)
    if shape.bucket is not None and not numeric:
        choice = ", ".join(event_type.numbers)
        text = f"`{column}` is text, and only numbers ({choice}) lie in buckets; use hash"
        yield Finding((*path, "bucket"), text)
    if shape.rename is not None:
        yield from _check_name(column, shape.rename, (*path, "rename"))


def _check_name(column: str, name: str, path: Path) -> Iterator[Finding]:
    taken = {
        field
        for kind in EVENT_TYPES.values()
        for field in (*kind.received.__struct_fields__, *_ADDED)
    }
    if not _COLUMN.fullmatch(name):
        text = f"column name `{name}`: small letters, digits and underscores, at most 63"
        yield Finding(path, text)
    elif name in FIXED or (name in taken and name != column):
        text = f"`{name}` is the name of another column; take one of your own"
        yield Finding(path, text)
    elif IDENTIFYING.search(name):
        text = (
            f"a column `{name}` would store who a shopper is, which no tap does; "
            "use `pseudonym`, or give the column the name of what it holds"
        )
        yield Finding(path, text)


def _no_column(column: str, lacking: list[str], event_type: EventType, order: Sequence[str]) -> str:
    """Why a column is not there: it comes later, it has gone, or it is no name at all."""
    after = f"no column `{column}` after {', '.join(lacking[:MOST_SHOWN])}"
    having = [stage for stage in order if column in tap_columns(event_type, stage, order)]
    if not having:
        return after + did_you_mean(column, tap_columns(event_type, lacking[0], order))
    if column == "time":
        return f"{after}; it is there up to validate, and is `occurred_at` of the row then"
    return f"{after}; it is there from {having[0]} on, so give those stages a tap of their own"
