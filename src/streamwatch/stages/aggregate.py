"""aggregate: records to cells, in bulk.

A record is only noted when it passes; the sums are made for many at once with NumPy, when a
flush settles or the batch is full. Merging is exact, so it does not matter when.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.cells import ALL, Cell, Cells, Group, Moments, Segment
from streamwatch.domain.events import EventType
from streamwatch.stages.batch import Batch, Place
from streamwatch.stages.columns import Columns, Floats, Ints
from streamwatch.stages.declaredlabels import declared_label
from streamwatch.stages.grouping import Alike, Grouping, alike, group_by
from streamwatch.stages.relabelled import sum_label_changes
from streamwatch.stages.sums import Sums, bins_of, changes_of, is_counted, sums_of

GROUPED = (("gender", "category"), ("app_version",))
"""Labels by whose values numbers are kept, so that affected records can be told from others."""

LONGEST_KIND = 12
"""Characters of a currency's name; a longer one counts as ``OTHER``."""


class Feature(msgspec.Struct, frozen=True):
    """A numeric feature of a batch: its name, its column, and the rows that it is about."""

    name: str
    column: int
    rows: Ints


class Counted(msgspec.Struct, frozen=True):
    """The counted rows of a batch, c of them.

    Attributes:
        rows, place: shape (c,): which rows, and their `Columns.place`.
        alike: these, told together; most sums are made of few sums of records that are alike.
        features: with their rows as indices into these.
        sums: of each feature those of the records that are alike.
        declared, numbers: shape (c, k), as in `Columns`.
    """

    rows: Ints
    place: Ints
    alike: Alike
    features: Sequence[Feature]
    sums: Sequence[Sums]
    declared: Floats
    numbers: Floats


def aggregate(
    batch: Batch, event_type: EventType, segment_labels: tuple[str, ...]
) -> dict[Place, Cells]:
    """The cells of a batch, per place; ``segment_labels`` name the cuts of its records."""
    whole = [Cell() for _ in batch.places]
    result: list[Cells] = [{ALL: cell} for cell in whole]
    for reject in batch.rejects:
        cell = whole[reject.place]
        cell.rejects[reject.key] = cell.rejects.get(reject.key, 0) + 1
        _seen(cell, reject.arrived, reject.arrived)
    for mark in batch.marks:
        marks = whole[mark.place].marks
        marks[mark.key] = marks.get(mark.key, 0) + 1
    if batch.has_rows:
        columns = batch.columns()
        counted = _counted(columns, columns.passed == batch.counted, event_type)
        if columns.is_unchanged and len(counted.rows) == len(columns.place):
            _sum_unchanged(batch.points, counted, whole)
        else:
            _sum_stages(batch, columns, event_type, whole)
        if len(counted.rows):
            by_label = _sum_counted(columns, counted, event_type, whole)
            for label in segment_labels:
                _sum_segments(label, by_label[label], counted, result)
            sum_label_changes(columns, counted.rows, event_type.labels, batch.points, whole)
        elif batch.counted == len(batch.points):
            _sum_elsewhere(columns, event_type, whole)
    return dict(zip(batch.places, result, strict=True))


def _sum_counted(
    columns: Columns,
    counted: Counted,
    event_type: EventType,
    whole: Sequence[Cell],
) -> dict[str, Grouping]:
    """What is kept of counted records only; returns them grouped by each label."""
    _sum_counts(counted.place, columns.arrived[counted.rows], whole)
    _sum_sketches(counted, whole)
    order = event_type.labels
    by_label = {}
    for place, label in enumerate(order):
        grouping = group_by((place,), columns.combinations, counted.alike)
        by_label[label] = grouping
        _sum_label(label, grouping, whole)
    for labels in GROUPED:
        known = [label for label in labels if label in by_label]
        if len(known) == 1:
            _sum_groups(known[0], by_label[known[0]], counted, whole)
        elif known:
            which = [order.index(label) for label in known]
            joint = group_by(which, columns.combinations, counted.alike)
            _sum_groups(",".join(known), joint, counted, whole)
    return by_label


def _sum_elsewhere(columns: Columns, event_type: EventType, whole: Sequence[Cell]) -> None:
    """Sketches and labels of what a stage in another service gave, which counts nowhere else."""
    order = event_type.labels
    read = [
        tuple(declared_label(label, text) for label, text in zip(order, one, strict=True))
        for one in columns.combinations
    ]
    columns = msgspec.structs.replace(columns, combinations=read, numbers=columns.declared)
    given = _counted(columns, np.ones(len(columns.place), dtype=np.bool_), event_type)
    _sum_sketches(given, whole)
    for place, label in enumerate(order):
        grouping = group_by((place,), read, given.alike)
        _sum_label(label, grouping, whole)


def _features(columns: Columns, event_type: EventType) -> Iterator[Feature]:
    everything = np.arange(len(columns.place))
    for column, name in enumerate(event_type.numbers):
        label = event_type.split.get(name)
        if label is None:
            yield Feature(name, column, everything)
            continue
        which = event_type.labels.index(label)
        kinds = np.array([_kind(one[which]) for one in columns.combinations])[columns.labels]
        for kind in dict.fromkeys(kinds.tolist()):
            yield Feature(f"{name}.{kind}", column, np.flatnonzero(kinds == kind))


def _kind(text: str | None) -> str:
    """By what a number is kept apart; refused records may name any, of any length."""
    kind = (text or "").strip().upper()
    return (kind if len(kind) <= LONGEST_KIND else "OTHER") or "NONE"


def _counted(columns: Columns, counted: NDArray[np.bool_], event_type: EventType) -> Counted:
    rows = np.flatnonzero(counted)
    index = np.cumsum(counted) - 1
    numbers, place = columns.numbers[rows], columns.place[rows]
    same = columns.numbers is columns.declared
    found = alike(columns.combinations, columns.labels[rows], place)
    features = [
        Feature(one.name, one.column, index[one.rows[counted[one.rows]]])
        for one in _features(columns, event_type)
    ]
    return Counted(
        rows=rows,
        place=place,
        alike=found,
        features=features,
        sums=[
            sums_of(found.of[one.rows], numbers[one.rows, one.column], len(found))
            for one in features
        ],
        declared=numbers if same else columns.declared[rows],
        numbers=numbers,
    )


def _sum_counts(place: Ints, arrived: Ints, whole: Sequence[Cell]) -> None:
    first = np.full(len(whole), np.iinfo(np.int64).max)
    last = np.zeros(len(whole), dtype=np.int64)
    np.minimum.at(first, place, arrived)
    np.maximum.at(last, place, arrived)
    counts = np.bincount(place, minlength=len(whole)).tolist()
    for cell, count, begun, ended in zip(whole, counts, first.tolist(), last.tolist(), strict=True):
        if count:
            cell.count = count
            _seen(cell, begun, ended)


def _sum_unchanged(points: Sequence[str], counted: Counted, whole: Sequence[Cell]) -> None:
    """As `_sum_stages` where no stage changed or dropped anything: all hold the same moments."""
    for feature, sums in zip(counted.features, counted.sums, strict=True):
        for at, moments in sums.merged(counted.alike.place, len(whole)).moments():
            whole[at].numbers[feature.name] = moments
    for cell in whole:
        if cell.numbers:
            cell.stages = dict.fromkeys(points, cell.numbers)


def _sum_stages(
    batch: Batch, columns: Columns, event_type: EventType, whole: Sequence[Cell]
) -> None:
    """Every feature after every stage: its moments, and what each stage changed.

    A place where a stage dropped and changed nothing keeps the very same moments.
    """
    features = list(_features(columns, event_type))
    found: list[dict[str, Moments]] = [{} for _ in whole]
    before = columns.at(0)
    for point, stage in enumerate(batch.points):
        after = columns.at(point)
        reached = columns.passed >= point
        anew = np.full(len(whole), fill_value=not point)
        anew[columns.place[columns.passed == point - 1]] = True
        for feature in features if after is not before else ():
            rows = feature.rows[reached[feature.rows]]
            pair = before[rows, feature.column], after[rows, feature.column]
            anew[columns.place[rows[_unlike(*pair)]]] = True
            for at, change in changes_of(columns.place[rows], *pair, len(whole)):
                whole[at].transitions.setdefault(stage, {})[feature.name] = change
        if anew.any():
            for at in np.flatnonzero(anew).tolist():
                found[at] = {}
            chosen = reached & anew[columns.place]
            for feature in features:
                rows = feature.rows[chosen[feature.rows]]
                values = after[rows, feature.column]
                sums = sums_of(columns.place[rows], values, len(whole))
                for at, moments in sums.moments():
                    found[at][feature.name] = moments
        for cell, moments_by_name in zip(whole, found, strict=True):
            if moments_by_name:
                cell.stages[stage] = moments_by_name
                if point == batch.counted:
                    cell.numbers = moments_by_name
        before = after


def _unlike(before: Floats, after: Floats) -> NDArray[np.bool_]:
    """Where the sums differ: another number, or none any more, or one where there was none."""
    unlike: NDArray[np.bool_] = (before != after) & ~(np.isnan(before) & np.isnan(after))
    return unlike


def _sum_sketches(counted: Counted, whole: Sequence[Cell]) -> None:
    for feature in counted.features:
        values = counted.numbers[feature.rows, feature.column]
        kept = is_counted(values)
        for at, bins in bins_of(counted.place[feature.rows][kept], values[kept]):
            whole[at].sketches[feature.name] = bins


def _sum_label(label: str, grouping: Grouping, whole: Sequence[Cell]) -> None:
    """The counts of one label's values."""
    found: list[dict[str, int]] = [{} for _ in whole]
    for at, name, size in zip(grouping.owners, grouping.names, grouping.sizes, strict=True):
        found[at][name] = size
    for cell, values in zip(whole, found, strict=True):
        if values:
            cell.labels[label] = values


def _sum_groups(labels: str, grouping: Grouping, counted: Counted, whole: Sequence[Cell]) -> None:
    """The features among the records of each value of `GROUPED` labels, joined."""
    of_group: list[dict[str, Group]] = [{} for _ in grouping.owners]
    for feature, sums in zip(counted.features, counted.sums, strict=True):
        for group, found in sums.merged(grouping.of, len(grouping)).groups():
            of_group[group][feature.name] = found
        if counted.declared is counted.numbers:
            continue
        before, after = (
            values[feature.rows, feature.column] for values in (counted.declared, counted.numbers)
        )
        of = grouping.of[counted.alike.of[feature.rows]]
        present = is_counted(after)
        for group, change in changes_of(
            of[present], before[present], after[present], len(grouping)
        ):
            changes = whole[grouping.owners[group]].group_changes.setdefault(labels, {})
            changes.setdefault(grouping.names[group], {})[feature.name] = change
    for at, name, features in zip(grouping.owners, grouping.names, of_group, strict=True):
        if features:
            whole[at].groups.setdefault(labels, {})[name] = features


def _sum_segments(
    label: str, grouping: Grouping, counted: Counted, result: Sequence[Cells]
) -> None:
    """The cells of one segmenting label: counts and numbers of each of its values."""
    numbers: list[dict[str, Moments]] = [{} for _ in grouping.owners]
    for feature, sums in zip(counted.features, counted.sums, strict=True):
        for group, found in sums.merged(grouping.of, len(grouping)).moments():
            numbers[group][feature.name] = found
    for at, name, size, of_group in zip(
        grouping.owners, grouping.names, grouping.sizes, numbers, strict=True
    ):
        if name:
            result[at][f"{label}={name}"] = Segment(size, of_group)


def _seen(cell: Cell, first: int, last: int) -> None:
    cell.first_arrival = min(cell.first_arrival or first, first)
    cell.last_arrival = max(cell.last_arrival, last)
