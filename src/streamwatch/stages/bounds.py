"""Bounds on what the shops' own words may take up.

A client that sends a new category with every record would else make a cell for each, until the
partial is too large for a message.
"""

from streamwatch.domain.cells import ALL, Cell, Cells, Group, Transition, merge_groups

MOST_SEGMENTS = 200
"""Segments of one shop and hour; those first seen are kept, the others count in ``all`` only."""

MOST_VALUES = 500
"""Values of one label in one cell; those seen later count as `OTHER`."""

MOST_GROUPS = 24
"""Values of a group of labels in one cell; those seen later count as `OTHER`."""

OTHER = "~other"


def add_cells(held: Cells, found: Cells) -> None:
    """Merge the cells of one shop and hour into those that are held, within the bounds.

    >>> held = {ALL: Cell(count=2)}
    >>> add_cells(held, {ALL: Cell(count=3), "gender=male": Cell(count=1)})
    >>> held[ALL].count, held["gender=male"].count
    (5, 1)
    """
    for segment, cell in found.items():
        mine = held.get(segment)
        if mine is None:
            if len(held) <= MOST_SEGMENTS:
                held[segment] = cell
        elif isinstance(mine, Cell) and isinstance(cell, Cell):
            mine.merge(cell)
        else:
            mine.add(cell)
    whole = held[ALL]
    if isinstance(whole, Cell):
        for values in whole.labels.values():
            if len(values) > MOST_VALUES:
                _fold(values)
        _bound_groups(whole)


def _bound_groups(cell: Cell) -> None:
    for labels, groups in cell.groups.items():
        if len(groups) <= MOST_GROUPS:
            continue
        for name in list(groups)[MOST_GROUPS:]:
            if name == OTHER:
                continue
            merge_groups(cell.groups, {labels: {OTHER: groups.pop(name)}}, Group)
            changes = cell.group_changes.get(labels, {})
            if name in changes:
                merge_groups(cell.group_changes, {labels: {OTHER: changes.pop(name)}}, Transition)


def _fold(values: dict[str, int]) -> None:
    for name in list(values)[MOST_VALUES:]:
        if name != OTHER:
            values[OTHER] = values.get(OTHER, 0) + values.pop(name)
