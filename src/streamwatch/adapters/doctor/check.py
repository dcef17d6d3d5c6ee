"""A check: what it looks at, and what it says of what was found out."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Literal, TypeVar

import msgspec

Facts = TypeVar("Facts")
Level = Literal["error", "warning"]
State = Literal["fine", "warning", "error", "unknown"]


class Advice(msgspec.Struct, frozen=True):
    """Something to put right.

    Attributes:
        what: what is wrong.
        why: why it matters.
        remedy: what to do.
        level: ``error`` when something fails or is lost by it, else ``warning``.
    """

    what: str
    why: str
    remedy: str
    level: Level = "warning"


class Check(msgspec.Struct, Generic[Facts], frozen=True):
    """One check of one area.

    Attributes:
        name: short, for machines.
        title: what is right when nothing is found.
        judge: the advice, from the facts of the area.
    """

    name: str
    title: str
    judge: Callable[[Facts], Iterator[Advice]]


class Result(msgspec.Struct, frozen=True):
    """What one check says; ``unknown`` when what it asks did not answer."""

    area: str
    check: str
    title: str
    state: State
    advice: tuple[Advice, ...] = ()


def examined(area: str, checks: Sequence[Check[Facts]], facts: Facts) -> list[Result]:
    """The results of all checks of an area."""
    results = []
    for check in checks:
        advice = tuple(check.judge(facts))
        levels = {one.level for one in advice}
        state: State = "error" if "error" in levels else "warning" if advice else "fine"
        results.append(Result(area, check.name, check.title, state, advice))
    return results


def unanswered(area: str, name: str, advice: Advice, rest: Sequence[Check[Facts]]) -> list[Result]:
    """The results of an area that does not answer: that it does not, and the rest unknown."""
    away = Result(area, name, "it answers", "error", (advice,))
    return [away, *(Result(area, one.name, one.title, "unknown") for one in rest)]
