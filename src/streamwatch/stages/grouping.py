"""Which records of a batch have the same values of some labels, place by place."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from streamwatch.stages.batch import Numbered
from streamwatch.stages.columns import Ints, Labels

LONGEST_LABEL = 80
"""Characters of a label's value that are kept."""

_FEW = 4
"""Up to so many possible groups for each record, a table of all is quicker than sorting."""


class Grouping(msgspec.Struct, frozen=True):
    """The groups of some labels that occur, ascending by place.

    Attributes:
        owners: the place of each group.
        names: the label's value of each, ``""`` for a missing one; of several labels joined by
            commas.
        sizes: the records of each.
        of: the group of each of the records that are `Alike`.
    """

    owners: list[int]
    names: list[str]
    sizes: list[int]
    of: Ints

    def __len__(self) -> int:
        return len(self.owners)


class Alike(msgspec.Struct, frozen=True):
    """The records of the same place with the same labels, told together: a of them.

    Attributes:
        place, labels, sizes: shape (a,): their place, their combination of labels, how many.
        of: of each record, which of these.
    """

    place: Ints
    labels: Ints
    sizes: Ints
    of: Ints

    def __len__(self) -> int:
        return len(self.place)


def alike(combinations: Sequence[Labels], labels: Ints, place: Ints) -> Alike:
    """Tell records together whose place and labels are the same.

    Args:
        combinations: each combination of labels that occurs.
        labels: of each record, the index of its combination.
        place: of each record.
    """
    size = max(len(combinations), 1)
    keys, of, sizes = distinct(place * size + labels)
    return Alike(place=keys // size, labels=keys % size, sizes=sizes, of=of)


def group_by(which: Sequence[int], combinations: Sequence[Labels], found: Alike) -> Grouping:
    """Group records by place and some of their labels.

    Args:
        which: the labels' places in ``combinations``.
        combinations: each combination of labels that occurs.
        found: the records.

    >>> sorts = [("m", "x"), ("f", "x")]
    >>> found = alike(sorts, np.array([0, 1, 0, 0]), np.array([0, 0, 7, 7]))
    >>> grouping = group_by((0,), sorts, found)
    >>> grouping.owners, grouping.names, grouping.sizes, grouping.of.tolist()
    ([0, 0, 7], ['m', 'f', 'm'], [1, 1, 2], [0, 1, 2])
    """
    name_of = _one(which[0]) if len(which) == 1 else _several(which)
    numbers = Numbered()
    of_combination = np.array([numbers[name_of(one)] for one in combinations], dtype=np.int64)
    names = list(numbers)
    keys, of, _ = distinct(found.place * len(names) + of_combination[found.labels])
    return Grouping(
        owners=(keys // len(names)).tolist(),
        names=[names[number] for number in (keys % len(names)).tolist()],
        sizes=np.bincount(of, found.sizes, len(keys)).astype(np.int64).tolist(),
        of=of,
    )


def counts_of(keys: Ints) -> tuple[Ints, Ints]:
    """The keys that occur, ascending, and their counts."""
    if _is_few(keys):
        table = np.bincount(keys)
        found = np.flatnonzero(table)
        return found, table[found]
    found, counts = np.unique(keys, return_counts=True)
    return found, counts


def _one(which: int) -> Callable[[Labels], str]:
    return lambda combination: (combination[which] or "")[:LONGEST_LABEL]


def _several(which: Sequence[int]) -> Callable[[Labels], str]:
    def joined(combination: Labels) -> str:
        values = [(combination[one] or "")[:LONGEST_LABEL] for one in which]
        return ",".join([value.replace(",", ";") for value in values])

    return joined


def distinct(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """The keys that occur, ascending; the index of each record's among them; their counts.

    >>> [one.tolist() for one in distinct(np.array([7, 2, 7]))]
    [[2, 7], [1, 0, 1], [1, 2]]
    """
    if not _is_few(keys):
        found, of, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        return found, of, sizes
    table = np.bincount(keys)
    found = np.flatnonzero(table)
    sizes = table[found]
    table[found] = np.arange(len(found))
    return found, table[keys], sizes


def _is_few(keys: Ints) -> bool:
    return len(keys) > 0 and int(keys.max()) <= _FEW * len(keys)
