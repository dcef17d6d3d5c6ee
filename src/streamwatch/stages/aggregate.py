"""aggregate: records to cells, in bulk.

A record is only noted when it passes; the sums are made for many at once with NumPy, when a
flush settles or the batch is full. Merging is exact, so it does not matter when.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.cells import ALL, LARGEST, Cell, Group, Moments, Transition
from streamwatch.domain.events import EventType
from streamwatch.domain.sketch import LOG_GAMMA, NOT_POSITIVE
from streamwatch.stages.batch import (
    Batch,
    Columns,
    Floats,
    Ints,
    Place,
)

GROUPED = (("gender", "category"), ("app_version",))
"""Labels by whose values numbers are kept, so that affected records can be told from others."""

Codes = dict[str, tuple[list[str], Ints]]
"""Label → its distinct values, and the index into them of each counted record."""

Cells = dict[str, Cell]
"""Segment → cell, of one place."""

LONGEST_LABEL = 80
"""Characters of a label's value that are kept."""

SAME = 1e-9
"""Relative difference below which a stage left a value alone: conversions round."""

LONGEST_KIND = 12
"""Characters of a currency's name; a longer one counts as ``OTHER``."""


def aggregate(
    batch: Batch, event_type: EventType, segment_labels: tuple[str, ...]
) -> dict[Place, Cells]:
    """The cells of a batch, per place; ``segment_labels`` name the cuts of its records."""
    result: list[Cells] = [{ALL: Cell()} for _ in batch.places]
    for reject in batch.rejects:
        cell = result[reject.place][ALL]
        cell.rejects[reject.key] = cell.rejects.get(reject.key, 0) + 1
        _seen(cell, reject.arrived, reject.arrived)
    for mark in batch.marks:
        marks = result[mark.place][ALL].marks
        marks[mark.key] = marks.get(mark.key, 0) + 1
    if batch.has_rows:
        columns = batch.columns()
        counted = columns.passed == batch.counted
        _sum_counts(columns, counted, result)
        points = [columns.at(point) for point in range(len(batch.points))]
        for name, index, rows in _features(columns, event_type):
            _sum_stages(batch, columns, (name, index), rows, points, result)
        codes = _sum_labels(columns, counted, event_type, result)
        _sum_groups(columns, counted, event_type, codes, result)
        for cut, label in enumerate(segment_labels):
            _sum_segments(columns, counted, event_type, (cut, label), result)
    return dict(zip(batch.places, result, strict=True))


def _features(columns: Columns, event_type: EventType) -> Iterator[tuple[str, int, Ints]]:
    """Per feature: its name, its column, and the rows that it is about."""
    everything = np.arange(len(columns.place))
    for index, name in enumerate(event_type.numbers):
        if name not in event_type.split:
            yield name, index, everything
            continue
        kinds, codes = _codes(columns.splits, _kind)
        for code, kind in enumerate(kinds):
            yield f"{name}.{kind}", index, np.flatnonzero(codes == code)


def _kind(text: str | None) -> str:
    """By what a number is kept apart; refused records may name any, of any length."""
    kind = (text or "").strip().upper()
    return (kind if len(kind) <= LONGEST_KIND else "OTHER") or "NONE"


def _sum_counts(columns: Columns, counted: NDArray[np.bool_], result: list[Cells]) -> None:
    place, arrived = columns.place[counted], columns.arrived[counted]
    first = np.full(len(result), np.iinfo(np.int64).max)
    last = np.zeros(len(result), dtype=np.int64)
    np.minimum.at(first, place, arrived)
    np.maximum.at(last, place, arrived)
    counts = np.bincount(place, minlength=len(result))
    for index in np.flatnonzero(counts).tolist():
        cell = result[index][ALL]
        cell.count = int(counts[index])
        _seen(cell, int(first[index]), int(last[index]))


def _sum_stages(
    batch: Batch,
    columns: Columns,
    feature: tuple[str, int],
    rows: Ints,
    points: Sequence[Floats],
    result: list[Cells],
) -> None:
    """One feature after every stage: its moments, what each stage changed, its sketch.

    ``feature`` is its name and column, ``points`` are the numbers after each of
    `Batch.points`, shape (n, k) each. A stage that dropped and changed nothing has the moments
    of the stage before.
    """
    name, index = feature
    place, passed = columns.place[rows], columns.passed[rows]
    reached_before = -1
    moments: list[tuple[int, Moments]] = []
    for point, stage in enumerate(batch.points):
        reached = passed >= point
        count = int(np.count_nonzero(reached))
        if count != reached_before or points[point] is not points[point - 1]:
            values = points[point][rows, index]
            moments = list(moments_of(place[reached], values[reached], len(result)))
        reached_before = count
        for at, found in moments:
            result[at][ALL].stages.setdefault(stage, {})[name] = msgspec.structs.replace(found)
            if point == batch.counted:
                result[at][ALL].numbers[name] = found
        if point and points[point] is not points[point - 1]:
            before, after = points[point - 1][rows, index], points[point][rows, index]
            _sum_changes(stage, name, place, (before, after, reached), result)
    values = points[-1][rows, index]
    kept = (passed == batch.counted) & (np.abs(values) <= LARGEST)
    for at, bins in _bins_of(place[kept], values[kept]):
        result[at][ALL].sketches[name] = bins


def _sum_changes(
    stage: str,
    name: str,
    place: Ints,
    values: tuple[Floats, Floats, NDArray[np.bool_]],
    result: list[Cells],
) -> None:
    """What one stage changed: numbers before it, after it, and whether the record passed it."""
    before, after, passed = values
    changed = passed & _differ(before, after)
    counts = np.bincount(place[changed], minlength=len(result))
    sums = np.bincount(place[changed], after[changed] - before[changed], len(result))
    for at in np.flatnonzero(counts).tolist():
        transition = Transition(int(counts[at]), float(sums[at]))
        result[at][ALL].transitions.setdefault(stage, {})[name] = transition


def _differ(before: Floats, after: Floats) -> NDArray[np.bool_]:
    """Where both are numbers and more than rounding lies between them."""
    both = np.isfinite(before) & np.isfinite(after)
    differ: NDArray[np.bool_] = both & ~np.isclose(before, after, rtol=SAME, atol=0.0)
    return differ


def _sum_labels(
    columns: Columns, counted: NDArray[np.bool_], event_type: EventType, result: list[Cells]
) -> Codes:
    """The counts of every label's values; returns the values and codes of each label."""
    place = columns.place[counted]
    found: Codes = {}
    for name, given in zip(event_type.labels, zip(*columns.labels, strict=True), strict=False):
        values, codes = found[name] = _codes(given)
        pairs, counts = np.unique(place * len(values) + codes, return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            at, code = divmod(pair, len(values))
            result[at][ALL].labels.setdefault(name, {})[values[code]] = count
    return found


def _sum_groups(
    columns: Columns,
    counted: NDArray[np.bool_],
    event_type: EventType,
    codes_of: Codes,
    result: list[Cells],
) -> None:
    """The features among the records of each value of `GROUPED` labels."""
    for labels in GROUPED:
        chosen = [codes_of[label] for label in labels if label in codes_of]
        if not chosen:
            continue
        joint = columns.place[counted]
        for values, codes in chosen:
            joint = joint * len(values) + codes
        keys, of_group = np.unique(joint, return_inverse=True)
        groups = np.zeros(len(columns.place), dtype=np.int64)
        groups[counted] = of_group
        owners = [_named(int(key), [values for values, _ in chosen]) for key in keys]
        joined = ",".join(label for label in labels if label in codes_of)
        for feature, index, rows in _features(columns, event_type):
            kept = rows[counted[rows]]
            declared, final = columns.declared[kept, index], columns.numbers[kept, index]
            for at, group, change in _groups_of(groups[kept], declared, final, len(keys)):
                place, value = owners[at]
                cell = result[place][ALL]
                cell.groups.setdefault(joined, {}).setdefault(value, {})[feature] = group
                if change.changed:
                    changes = cell.group_changes.setdefault(joined, {})
                    changes.setdefault(value, {})[feature] = change


def _named(key: int, values: list[list[str]]) -> tuple[int, str]:
    """The place and the joined values that a key of codes stands for."""
    words = []
    for names in reversed(values):
        key, code = divmod(key, len(names))
        words.append(names[code].replace(",", ";"))
    return key, ",".join(reversed(words))


def _groups_of(
    groups: Ints, declared: Floats, final: Floats, size: int
) -> Iterator[tuple[int, Group, Transition]]:
    """The group of each index that has a value, and what was changed in it."""
    present = np.abs(final) <= LARGEST
    groups, declared, final = groups[present], declared[present], final[present]
    counts = np.bincount(groups, minlength=size)
    means = np.bincount(groups, final, size) / np.maximum(counts, 1)
    changed = _differ(declared, final)
    changes = np.bincount(groups[changed], minlength=size)
    sums = np.bincount(groups[changed], final[changed] - declared[changed], size)
    for at in np.flatnonzero(counts).tolist():
        change = Transition(int(changes[at]), float(sums[at]))
        yield at, Group(int(counts[at]), float(means[at])), change


def _sum_segments(
    columns: Columns,
    counted: NDArray[np.bool_],
    event_type: EventType,
    segment: tuple[int, str],
    result: list[Cells],
) -> None:
    """The cells of one segmenting label: counts and numbers of each of its values."""
    cut, label = segment
    values, codes = _codes([row[cut] for row in columns.cuts])
    if not values:
        return
    pairs, numbers, counts = np.unique(
        columns.place[counted] * len(values) + codes, return_inverse=True, return_counts=True
    )
    cells: dict[int, Cell] = {}
    for number, (pair, count) in enumerate(zip(pairs.tolist(), counts.tolist(), strict=True)):
        place, code = divmod(pair, len(values))
        if values[code]:
            cells[number] = result[place][f"{label}={values[code]}"] = Cell(count=count)
    groups = np.zeros(len(columns.place), dtype=np.int64)
    groups[counted] = numbers
    for name, index, rows in _features(columns, event_type):
        kept = rows[counted[rows]]
        for at, moments in moments_of(groups[kept], columns.numbers[kept, index], len(pairs)):
            if at in cells:
                cells[at].numbers[name] = moments


def moments_of(groups: Ints, values: Floats, size: int) -> Iterator[tuple[int, Moments]]:
    """The moments of each group that occurs; NaN and what is beyond `LARGEST` count as missing.

    >>> list(moments_of(np.array([1, 1]), np.array([2.0, 4.0]), 3))
    [(1, Moments(n=2, mean=3.0, m2=2.0, missing=0))]
    """
    present = np.abs(values) <= LARGEST
    all_counts = np.bincount(groups, minlength=size)
    groups, values = groups[present], values[present]
    counts = np.bincount(groups, minlength=size)
    means = np.bincount(groups, values, size) / np.maximum(counts, 1)
    distances = values - means[groups]
    squares = np.bincount(groups, distances * distances, size)
    for at in np.flatnonzero(all_counts).tolist():
        n = int(counts[at])
        missing = int(all_counts[at]) - n
        yield at, Moments(n, float(means[at]), float(squares[at]), missing)


def _bins_of(groups: Ints, values: Floats) -> Iterator[tuple[int, dict[int, int]]]:
    """The sketch of each group that occurs."""
    if not len(groups):
        return
    bins = np.full(len(values), NOT_POSITIVE, dtype=np.int64)
    positive = values > 0
    bins[positive] = np.ceil(np.log(values[positive]) / LOG_GAMMA).astype(np.int64)
    # One number for group and bin, since sorting pairs takes many times as long.
    pairs, counts = np.unique((groups << _BIN_BITS) + bins - NOT_POSITIVE, return_counts=True)
    owners = pairs >> _BIN_BITS
    indices = (pairs & ((1 << _BIN_BITS) - 1)) + NOT_POSITIVE
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(counts)], strict=True):
        chosen = slice(start, end)
        sketch = dict(zip(indices[chosen].tolist(), counts[chosen].tolist(), strict=True))
        yield int(owners[start]), sketch


_BIN_BITS = 32
"""Bins run from `NOT_POSITIVE` to some ten thousands, so their distance fits these bits."""


def _codes(
    given: Sequence[str | None],
    name_of: Callable[[str | None], str] = lambda text: (text or "")[:LONGEST_LABEL],
) -> tuple[list[str], Ints]:
    """The names of the distinct values, and each value as an index into them."""
    names: dict[str, int] = {}
    codes = {value: names.setdefault(name_of(value), len(names)) for value in dict.fromkeys(given)}
    return list(names), np.fromiter(map(codes.__getitem__, given), np.int64, len(given))


def _seen(cell: Cell, first: int, last: int) -> None:
    cell.first_arrival = min(cell.first_arrival or first, first)
    cell.last_arrival = max(cell.last_arrival, last)
