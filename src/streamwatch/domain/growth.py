"""Growth: what a cumulative cell holds more than it did at an earlier look."""

from collections.abc import Mapping
from typing import TypeVar

from streamwatch.domain.cells import Cell, Moments, Transition

_Key = TypeVar("_Key")


def growth_of_cell(before: Cell, now: Cell) -> Cell:
    """The records that came between two looks, as a cell of what tells a KPI and its origin.

    Arrivals and groups are left out, and of stages in other services all but their moments.

    >>> before = Cell(count=1, labels={"size": {"M": 1}})
    >>> growth = growth_of_cell(before, Cell(count=3, labels={"size": {"M": 2, "L": 1}}))
    >>> growth.count, growth.labels
    (2, {'size': {'M': 1, 'L': 1}})
    """
    return Cell(
        count=max(now.count - before.count, 0),
        numbers=_moments(before.numbers, now.numbers),
        labels=_counts_by_name(before.labels, now.labels),
        rejects=growth_of_counts(before.rejects, now.rejects),
        stages={
            stage: _moments(before.stages.get(stage, {}), found)
            for stage, found in now.stages.items()
        },
        transitions={
            stage: _transitions(before.transitions.get(stage, {}), found)
            for stage, found in now.transitions.items()
        },
        sketches=_counts_by_name(before.sketches, now.sketches),
        marks=growth_of_counts(before.marks, now.marks),
        beside={
            stage: _moments(before.beside.get(stage, {}), found)
            for stage, found in now.beside.items()
        },
        label_changes={
            stage: _counts_by_name(before.label_changes.get(stage, {}), found)
            for stage, found in now.label_changes.items()
        },
    )


def growth_of_counts(before: Mapping[_Key, int], now: Mapping[_Key, int]) -> dict[_Key, int]:
    """What was counted since; what did not grow is left out.

    >>> growth_of_counts({"a": 2, "b": 1}, {"a": 5, "b": 1, "c": 1})
    {'a': 3, 'c': 1}
    """
    return {
        name: count - before.get(name, 0)
        for name, count in now.items()
        if count > before.get(name, 0)
    }


def growth_of_moments(before: Moments, now: Moments) -> Moments:
    """The moments of the records that came since: addition solved for its second part.

    >>> growth_of_moments(Moments(2, 10.0, 2.0, 1), Moments(4, 12.0, 20.0, 1))
    Moments(n=2, mean=14.0, m2=2.0, missing=0)
    """
    n, missing = now.n - before.n, max(now.missing - before.missing, 0)
    if n <= 0:
        return Moments(missing=missing)
    distance = (now.mean - before.mean) * now.n / n
    m2 = now.m2 - before.m2 - distance * distance * before.n * n / now.n
    return Moments(n, before.mean + distance, max(m2, 0.0), missing)


def _moments(before: Mapping[str, Moments], now: Mapping[str, Moments]) -> dict[str, Moments]:
    nothing = Moments()
    return {name: growth_of_moments(before.get(name, nothing), one) for name, one in now.items()}


def _transitions(
    before: Mapping[str, Transition], now: Mapping[str, Transition]
) -> dict[str, Transition]:
    nothing = Transition()
    found = {}
    for name, one in now.items():
        old = before.get(name, nothing)
        changed = max(one.changed - old.changed, 0)
        found[name] = Transition(changed, one.sum_change - old.sum_change)
    return found


def _counts_by_name(
    before: Mapping[str, Mapping[_Key, int]], now: Mapping[str, Mapping[_Key, int]]
) -> dict[str, dict[_Key, int]]:
    nothing: dict[_Key, int] = {}
    return {name: growth_of_counts(before.get(name, nothing), one) for name, one in now.items()}
