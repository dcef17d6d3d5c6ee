"""Cells: the mergeable sums of one source partition, shop, bucket and segment."""

from typing import TypeVar

import msgspec

_Key = TypeVar("_Key")
_Sum = TypeVar("_Sum", "Group", "Transition")

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
LARGEST = 1e12
"""The largest number that is counted: no measure, quantity or price is larger, and sums of
squares stay far from overflow."""
ARROW = "\x1f"
"""Stands between what a label was before a stage and what it is behind it."""

ALL = "all"
"""The segment that holds every record of a shop."""


class Moments(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Count, mean and summed squared deviations of a numeric feature, and how often it lacked.

    Adding follows Chan, Golub and LeVeque (1983), as River's ``stats.Var`` does.

    >>> Moments(2, 10.0, 2.0, 1) + Moments(2, 14.0, 2.0, 0)
    Moments(n=4, mean=12.0, m2=20.0, missing=1)
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    missing: int = 0

    def __add__(self, other: "Moments") -> "Moments":
        """The moments of both one's records."""
        n, mean, more = self.n, self.mean, other.n
        missing = self.missing + other.missing
        if not more:
            return Moments(n, mean, self.m2, missing)
        distance = other.mean - mean
        step = distance * more / (n + more)
        return Moments(n + more, mean + step, self.m2 + (other.m2 + distance * step * n), missing)

    @property
    def variance(self) -> float:
        """Sample variance; 0 below two values."""
        return self.m2 / (self.n - 1) if self.n > 1 else 0.0


class Transition(msgspec.Struct, array_like=True, gc=False):
    """What one stage did to one feature: records changed, and the sum of their changes."""

    changed: int = 0
    sum_change: float = 0.0

    def merge(self, other: "Transition") -> None:
        """Add another's records to these."""
        self.changed += other.changed
        self.sum_change += other.sum_change


class Group(msgspec.Struct, array_like=True, gc=False):
    """How many counted values, and their mean, among the records that share a label's value.

    >>> group = Group(1, 170.0)
    >>> group.merge(Group(1, 70.0))
    >>> group.n, group.mean
    (2, 120.0)
    """

    n: int = 0
    mean: float = 0.0

    def merge(self, other: "Group") -> None:
        """Add another's records to these."""
        self.n += other.n
        if other.n:
            self.mean += (other.mean - self.mean) * other.n / self.n


Groups = dict[str, dict[str, dict[str, Group]]]
"""Labels, joined by commas → their values, likewise → feature → group."""

GroupChanges = dict[str, dict[str, dict[str, Transition]]]
"""In the same way, what the stages together changed; only where they changed something."""


class Segment(msgspec.Struct, gc=False, omit_defaults=True):
    """The sums of one segment of a shop.

    Attributes:
        count: records aggregated.
        numbers: per numeric feature (``price.EUR`` for a split one) its moments.
    """

    count: int = 0
    numbers: dict[str, Moments] = {}

    def add(self, other: "Segment") -> None:
        """Add another one's records to this one; exact, and in any order."""
        self.count += other.count
        _add_moments(self.numbers, other.numbers)


class Cell(Segment):
    """The sums of a shop's bucket, ``all`` of it; a segment's hold count and numbers only.

    It is stored and sent without what is empty, which spares a quarter of the bytes, and without
    the moments of stages that changed nothing (`brief_stages`), which spares another.

    Attributes:
        labels: per categorical feature the count of each value; ``""`` counts the missing.
        rejects: per ``stage/reason/field`` the records refused.
        stages: per stage and feature the moments after it.
        transitions: per stage and feature what it changed.
        sketches: per feature the log-binned sketch as ``{bin: count}``, see `domain.sketch`.
        first_arrival, last_arrival: milliseconds since 1970 UTC; 0 in an empty cell.
        marks: per rule that only marks the records that broke it and were counted.
        groups, group_changes: what tells affected records from others, see `Groups`.
        label_changes: per stage and label how many records' values it changed, by `ARROW` between
            what it was and what it became, both empty for none.
        beside: per stage in another service and feature the moments of what its topic holds.
        beside_sketches, beside_labels: likewise the sketches, and the counts of the labels.
    """

    labels: dict[str, dict[str, int]] = {}
    rejects: dict[str, int] = {}
    stages: dict[str, dict[str, Moments]] = {}
    transitions: dict[str, dict[str, Transition]] = {}
    sketches: dict[str, dict[int, int]] = {}
    first_arrival: int = 0
    last_arrival: int = 0
    marks: dict[str, int] = {}
    groups: Groups = {}
    group_changes: GroupChanges = {}
    beside: dict[str, dict[str, Moments]] = {}
    label_changes: dict[str, dict[str, dict[str, int]]] = {}
    beside_sketches: dict[str, dict[str, dict[int, int]]] = {}
    beside_labels: dict[str, dict[str, dict[str, int]]] = {}

    def __post_init__(self) -> None:
        """Fill in what `brief_stages` left out; the moments are shared, never changed in place."""
        if self.stages:
            behind = self.numbers
            for stage, moments in reversed(self.stages.items()):
                if moments:
                    behind = moments
                else:
                    self.stages[stage] = behind

    def brief_stages(self) -> dict[str, dict[str, Moments]]:
        """The stages, empty where nothing was changed behind them.

        Moments that are those of the next stage, behind the last one those of ``numbers``, are left
        out; a cell that is made of this has them again.

        >>> cell = Cell(numbers={"age": Moments(1, 20.0)}, stages={"decode": {}, "segment": {}})
        >>> cell.stages["decode"]["age"].mean, cell.brief_stages()
        (20.0, {'decode': {}, 'segment': {}})
        """
        brief: dict[str, dict[str, Moments]] = {stage: {} for stage in self.stages}
        behind = self.numbers
        for stage, moments in reversed(self.stages.items()):
            if not _same(moments, behind):
                brief[stage] = behind = moments
        return brief

    def merge(self, other: "Cell") -> None:
        """Add another cell's records to this one; exact, and in any order."""
        self.count += other.count
        self._merge_moments(other)
        # Of most cells most is empty, and asking is cheaper than adding nothing.
        if other.labels:
            _add_all(self.labels, other.labels)
        if other.sketches:
            _add_all(self.sketches, other.sketches)
        if other.groups:
            _add_groups(self.groups, other.groups)
        if other.rejects or other.marks:
            _add_counts(self.rejects, other.rejects)
            _add_counts(self.marks, other.marks)
        if other.transitions or other.group_changes or other.label_changes or other.beside:
            self._merge_changes(other)
        if other.first_arrival and not 0 < self.first_arrival <= other.first_arrival:
            self.first_arrival = other.first_arrival
        if other.last_arrival > self.last_arrival:  # noqa: PLR1730  # max() takes three times as long
            self.last_arrival = other.last_arrival

    def _merge_changes(self, other: "Cell") -> None:
        """What stages changed, and what stands beside."""
        merge_groups({"": self.transitions}, {"": other.transitions}, Transition)
        merge_groups(self.group_changes, other.group_changes, Transition)
        for stage, labels in other.label_changes.items():
            _add_all(self.label_changes.setdefault(stage, {}), labels)
        for stage, features in other.beside.items():
            self.beside[stage] = _added(self.beside.get(stage, {}), features)
        for stage, sketches in other.beside_sketches.items():
            _add_all(self.beside_sketches.setdefault(stage, {}), sketches)
        for stage, labels in other.beside_labels.items():
            _add_all(self.beside_labels.setdefault(stage, {}), labels)

    def _merge_moments(self, other: "Cell") -> None:
        """Those after every stage, and the final ones.

        Where a stage dropped and changed nothing, both cells hold the moments of the stage
        before, and so does the sum, which is then not made again. For that no moments are ever
        changed in place.
        """
        mine: dict[str, Moments] = {}
        theirs: dict[str, Moments] = {}
        added: dict[str, Moments] = {}
        for stage, features in other.stages.items():
            held = self.stages.get(stage, {})
            if not (_same(held, mine) and _same(features, theirs)):
                mine, theirs, added = held, features, _added(held, features)
            self.stages[stage] = added
        if not (_same(self.numbers, mine) and _same(other.numbers, theirs)):
            added = _added(self.numbers, other.numbers)
        self.numbers = added


Cells = dict[str, Segment]
"""Segment → its sums, of one place; under `ALL` stands a `Cell`."""


def _same(one: dict[str, Moments], other: dict[str, Moments]) -> bool:
    return one is other or one == other  # dicts do not ask first whether they are the same


def _added(mine: dict[str, Moments], theirs: dict[str, Moments]) -> dict[str, Moments]:
    added = dict(mine)
    _add_moments(added, theirs)
    return added


def _add_moments(into: dict[str, Moments], moments: dict[str, Moments]) -> None:
    for name, found in moments.items():
        known = into.get(name)
        into[name] = found if known is None else known + found


def _add_groups(into: Groups, other: Groups) -> None:
    """As `merge_groups` does, for the many groups of every cell."""
    for labels, values in other.items():
        mine = into.setdefault(labels, {})
        for value, features in values.items():
            my_features = mine.get(value)
            if my_features is None:
                mine[value] = {name: Group(one.n, one.mean) for name, one in features.items()}
                continue
            for name, found in features.items():
                known = my_features.get(name)
                if known is None:
                    my_features[name] = Group(found.n, found.mean)
                elif found.n:
                    known.n += found.n
                    known.mean += (found.mean - known.mean) * found.n / known.n


def merge_groups(
    into: dict[str, dict[str, dict[str, _Sum]]],
    other: dict[str, dict[str, dict[str, _Sum]]],
    empty: type[_Sum],
) -> None:
    """Add other groups to these; ``empty`` makes one of no records."""
    for labels, values in other.items():
        mine = into.setdefault(labels, {})
        for value, features in values.items():
            my_features = mine.setdefault(value, {})
            for feature, found in features.items():
                known = my_features.get(feature)
                if known is None:
                    known = my_features[feature] = empty()
                known.merge(found)


def _add_all(into: dict[str, dict[_Key, int]], counts: dict[str, dict[_Key, int]]) -> None:
    for name, found in counts.items():
        _add_counts(into.setdefault(name, {}), found)


def _add_counts(into: dict[_Key, int], counts: dict[_Key, int]) -> None:
    for key, count in counts.items():
        into[key] = into.get(key, 0) + count
