"""aggregate: records to cells, in bulk.

A record is only noted when it passes; the sums are made for many at once with NumPy, when a
flush settles or the batch is full. Merging is exact, so it does not matter when.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.cells import ALL, Cell, Moments, Transition
from streamwatch.domain.events import EventType
from streamwatch.domain.sketch import LOG_GAMMA, NOT_POSITIVE
from streamwatch.stages.batch import (
    COUNTED,
    NORMALISED,
    POINTS,
    Batch,
    Columns,
    Floats,
    Ints,
    Place,
)

Cells = dict[str, Cell]
"""Segment → cell, of one place."""

SAME = 1e-9
"""Relative difference below which a stage left a value alone: conversions round."""


def aggregate(
    batch: Batch, event_type: EventType, segment_labels: tuple[str, ...]
) -> dict[Place, Cells]:
    """The cells of a batch, per place; ``segment_labels`` name the cuts of its records."""
    result: list[Cells] = [{ALL: Cell()} for _ in batch.places]
    for reject in batch.rejects:
        cell = result[reject.place][ALL]
        cell.rejects[reject.key] = cell.rejects.get(reject.key, 0) + 1
        _seen(cell, reject.arrived, reject.arrived)
    if batch.has_rows:
        columns = batch.columns()
        counted = columns.passed == COUNTED
        _sum_counts(columns, counted, result)
        for name, index, rows in _features(columns, event_type):
            _sum_stages(columns, name, index, rows, result)
        _sum_labels(columns, counted, event_type, result)
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
        kinds = np.array([(kind or "none").strip().upper() for kind in columns.splits])
        for kind in np.unique(kinds).tolist():
            yield f"{name}.{kind}", index, np.flatnonzero(kinds == kind)


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


def _sum_stages(columns: Columns, name: str, index: int, rows: Ints, result: list[Cells]) -> None:
    """One feature after every stage: its moments, what `normalise` changed, its sketch."""
    place, passed = columns.place[rows], columns.passed[rows]
    before, after = columns.declared[rows, index], columns.numbers[rows, index]
    for point, stage in enumerate(POINTS):
        reached = passed >= point
        values = (after if point >= NORMALISED else before)[reached]
        for at, moments in moments_of(place[reached], values, len(result)):
            cell = result[at][ALL]
            cell.stages.setdefault(stage, {})[name] = moments
            if point == COUNTED:
                cell.numbers[name] = Moments(moments.n, moments.mean, moments.m2, moments.missing)
    both = (passed >= NORMALISED) & np.isfinite(before) & np.isfinite(after)
    changed = both & ~np.isclose(before, after, rtol=SAME, atol=0.0)
    counts = np.bincount(place[changed], minlength=len(result))
    sums = np.bincount(place[changed], after[changed] - before[changed], len(result))
    for at in np.flatnonzero(counts).tolist():
        transition = Transition(int(counts[at]), float(sums[at]))
        result[at][ALL].transitions.setdefault("normalise", {})[name] = transition
    kept = (passed == COUNTED) & np.isfinite(after)
    for at, bins in _bins_of(place[kept], after[kept]):
        result[at][ALL].sketches[name] = bins


def _sum_labels(
    columns: Columns, counted: NDArray[np.bool_], event_type: EventType, result: list[Cells]
) -> None:
    place = columns.place[counted]
    for index, name in enumerate(event_type.labels):
        values, codes = _codes([row[index] or "" for row in columns.labels])
        counts = np.bincount(place * len(values) + codes) if len(place) else np.empty(0)
        for joined in np.flatnonzero(counts).tolist():
            at, code = divmod(joined, len(values))
            result[at][ALL].labels.setdefault(name, {})[values[code]] = int(counts[joined])


def _sum_segments(
    columns: Columns,
    counted: NDArray[np.bool_],
    event_type: EventType,
    segment: tuple[int, str],
    result: list[Cells],
) -> None:
    """The cells of one segmenting label: counts and numbers of each of its values."""
    cut, label = segment
    values, codes = _codes([row[cut] or "" for row in columns.cuts])
    if not values:
        return
    joined = np.zeros(len(columns.place), dtype=np.int64)
    joined[counted] = columns.place[counted] * len(values) + codes
    size = len(result) * len(values)
    cells: dict[int, Cell] = {}
    for at in np.flatnonzero(np.bincount(joined[counted], minlength=size)).tolist():
        place, code = divmod(at, len(values))
        if values[code]:
            cells[at] = result[place][f"{label}={values[code]}"] = Cell()
    for at, count in enumerate(np.bincount(joined[counted], minlength=size).tolist()):
        if at in cells:
            cells[at].count = count
    for name, index, rows in _features(columns, event_type):
        kept = rows[counted[rows]]
        for at, moments in moments_of(joined[kept], columns.numbers[kept, index], size):
            if at in cells:
                cells[at].numbers[name] = moments


def moments_of(groups: Ints, values: Floats, size: int) -> Iterator[tuple[int, Moments]]:
    """The moments of each group that occurs; NaN and infinities count as missing.

    >>> list(moments_of(np.array([1, 1]), np.array([2.0, 4.0]), 3))
    [(1, Moments(n=2, mean=3.0, m2=2.0, missing=0))]
    """
    present = np.isfinite(values)
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
    pairs, counts = np.unique(np.stack([groups, bins]), axis=1, return_counts=True)
    starts = np.flatnonzero(np.diff(pairs[0], prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(counts)], strict=True):
        chosen = slice(start, end)
        sketch = dict(zip(pairs[1, chosen].tolist(), counts[chosen].tolist(), strict=True))
        yield int(pairs[0, start]), sketch


def _codes(values: Sequence[str]) -> tuple[list[str], Ints]:
    """The distinct values, and each value as an index into them."""
    codes: dict[str, int] = {}
    numbers = [codes.setdefault(value, len(codes)) for value in values]
    return list(codes), np.array(numbers, dtype=np.int64)


def _seen(cell: Cell, first: int, last: int) -> None:
    cell.first_arrival = min(cell.first_arrival or first, first)
    cell.last_arrival = max(cell.last_arrival, last)
