"""Cutting what was recorded into the portions after which a live worker would flush."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from streamwatch.domain.cells import HOUR_MS

PORTION_LINES = 1_000
"""Lines of a portion where nobody knows when they arrived, at first and at least."""

LARGEST_PORTION = 200_000
_LARGEST_UNKNOWN = 32_000


class Arrived(Protocol):
    """A line that may know when it arrived."""

    @property
    def arrived_ms(self) -> int:
        """Milliseconds; -1 if nobody knows."""
        ...


_Line = TypeVar("_Line", bound=Arrived)


def by_hour(
    lines: Iterable[_Line], reached: Callable[[], int] | None = None
) -> Iterator[list[_Line]]:
    """The lines in portions that end with an hour of arrival.

    A bucket is judged at the first flush after its time has come, so the portions are how
    exactly delays are known: within an hour, or a thousand lines.

    Args:
        lines: in the order of their arrival.
        reached: asked after a portion was used: how far its records came, milliseconds. Where
            lines do not tell their arrival, portions so hold an hour at most, or a thousand.
    """
    portion: list[_Line] = []
    hour = -1
    size, before = PORTION_LINES, 0
    for line in lines:
        arrived = line.arrived_ms
        if arrived < 0:
            full = len(portion) >= size
        else:
            full = arrived >= hour + HOUR_MS or len(portion) >= LARGEST_PORTION
            hour = max(hour, arrived - arrived % HOUR_MS)
        if full and portion:
            yield portion
            portion = []
            if reached is not None:
                now = reached()
                size = _next_size(size, now - before)
                before = now
        portion.append(line)
    if portion:
        yield portion


def _next_size(size: int, moved: int) -> int:
    if 2 * moved <= HOUR_MS:
        return min(2 * size, _LARGEST_UNKNOWN)
    return max(size // 2, PORTION_LINES) if moved > HOUR_MS else size
