"""Which labels came out of a stage otherwise than they went in; of most records, none.

The labels after `decode` are read in one spelling (`stages.declaredlabels`), so what `normalise`
spells anew has not changed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.cells import ARROW, Cell
from streamwatch.stages.columns import NORMALISE, Columns, Ints, Labels
from streamwatch.stages.declaredlabels import declared_label

LONGEST_LABEL = 80
"""Characters of a label's value that are kept."""

MOST_CHANGES = 50
"""Kinds of changes of one label and stage in one cell; those seen later count as `OTHER`."""

OTHER = "~other"

Alike = tuple[int, int, int, tuple[tuple[int, Labels], ...]]
"""Place, labels as sent, labels as they came out, and what they were before other stages."""


def sum_label_changes(
    columns: Columns,
    counted: Ints,
    order: Sequence[str],
    points: Sequence[str],
    whole: Sequence[Cell],
) -> None:
    """Count into the cells what each stage made of the counted records' labels.

    Args:
        columns: of the batch.
        counted: the rows that count.
        order: the names of the labels.
        points: the stages.
        whole: the cells of all records, by place.
    """
    if not columns.earlier and np.array_equal(columns.sent, columns.labels):
        return
    normalise = points.index(NORMALISE)
    counting = np.zeros(len(columns.place), dtype=np.bool_)
    counting[counted] = True
    alike = Counter(_respelt(columns, counting))
    for row, kept in columns.earlier.items():
        if counting[row]:
            final = int(columns.labels[row])
            before = tuple((point, labels) for point, _, labels in kept)
            alike[int(columns.place[row]), int(columns.sent[row]), final, before] += 1
    for (place, sent, final, before), count in alike.items():
        names = columns.combinations[sent], columns.combinations[final]
        for point, label, was, now in _changes(names, before, order, normalise):
            changes = whole[place].label_changes.setdefault(points[point], {}).setdefault(label, {})
            key = f"{was[:LONGEST_LABEL]}{ARROW}{now[:LONGEST_LABEL]}"
            if key not in changes and len(changes) >= MOST_CHANGES:
                key = f"{OTHER}{ARROW}{OTHER}"
            changes[key] = changes.get(key, 0) + count


def _respelt(columns: Columns, counting: NDArray[np.bool_]) -> dict[Alike, int]:
    """How many records went alike, of those that no stage but `normalise` replaced.

    A client may spell otherwise in every record, so these are counted together.
    """
    respelt = counting & (columns.sent != columns.labels)
    respelt[list(columns.earlier)] = False
    size = len(columns.combinations)
    pairs = columns.sent[respelt] * size + columns.labels[respelt]
    keys, counts = np.unique(columns.place[respelt] * size**2 + pairs, return_counts=True)
    found: dict[Alike, int] = {}
    for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
        place, pair = divmod(key, size**2)
        found[place, pair // size, pair % size, ()] = count
    return found


def _changes(
    ends: tuple[Labels, Labels],
    before: tuple[tuple[int, Labels], ...],
    order: Sequence[str],
    normalise: int,
) -> Iterator[tuple[int, str, str, str]]:
    """Stage by stage: its point, the label, what it was, and what it became."""
    sent, final = ends
    # What stood at the end of each stretch between stages that replaced the event.
    stretches = [*((point, labels) for point, labels in before), (None, final)]
    for place, label in enumerate(order):
        was, since = declared_label(label, sent[place]), 0
        for point, labels in stretches:
            as_sent = point is not None and point <= normalise
            now = declared_label(label, labels[place]) if as_sent else labels[place] or ""
            if now != was:
                yield since or normalise, label, was, now
            was, since = now, point or 0
