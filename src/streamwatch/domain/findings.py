"""What a check of something that people wrote has found, and the nearest right name."""

import difflib
from collections.abc import Iterable

import msgspec

Path = tuple[str | int, ...]
"""Keys and list positions that lead to a value in a file: ``("rules", 2, "field")``."""


class Finding(msgspec.Struct, frozen=True):
    """One thing to put right, and where: the path of keys to it, found in the file by a reader.

    Attributes:
        path: where; the file's start when empty.
        text: what is wrong and what to do, in words for a person.
        advice: the file works as it is, and could be better.
        within: the place within the text value at the path, in characters from its start.
    """

    path: Path
    text: str
    advice: bool = False
    within: int | None = None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of a message about a wrong name: the nearest right one, or the whole choice.

    >>> did_you_mean("heigth", ["height", "weight"])
    '; did you mean `height`?'
    >>> did_you_mean("x", ["cm", "in"])
    '; there are: cm, in'
    """
    choice = sorted(names)
    by_lower = {one.lower(): one for one in reversed(choice)}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    if near:
        return f"; did you mean `{by_lower[near[0]]}`?"
    return f"; there are: {', '.join(choice)}" if choice else ""
