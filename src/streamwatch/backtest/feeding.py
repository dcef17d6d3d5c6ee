"""Cutting what was recorded into the portions after which a live worker would flush."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from streamwatch.domain.cells import HOUR_MS

PORTION_LINES = 1_000
"""Lines of a portion where nobody knows when they arrived."""

LARGEST_PORTION = 200_000


class Arrived(Protocol):
    """A line that may know when it arrived."""

    @property
    def arrived_ms(self) -> int:
        """Milliseconds; -1 if nobody knows."""
        ...


_Line = TypeVar("_Line", bound=Arrived)


def by_hour(lines: Iterable[_Line]) -> Iterator[list[_Line]]:
    """The lines in portions that end with an hour of arrival.

    A bucket is judged at the first flush after its time has come, so the portions are how
    exactly delays are known: within an hour, or a thousand lines.
    """
    portion: list[_Line] = []
    hour = -1
    for line in lines:
        arrived = line.arrived_ms
        if arrived < 0:
            full = len(portion) >= PORTION_LINES
        else:
            full = arrived >= hour + HOUR_MS or len(portion) >= LARGEST_PORTION
            hour = max(hour, arrived - arrived % HOUR_MS)
        if full and portion:
            yield portion
            portion = []
        portion.append(line)
    if portion:
        yield portion
