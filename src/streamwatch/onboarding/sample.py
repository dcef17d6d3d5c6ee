"""An even sample of a stream of unknown length, in bounded memory and without chance."""

from collections.abc import Iterable
from typing import Any

import msgspec

Row = dict[str, Any]

MOST_ROWS = 20_000


class Sample(msgspec.Struct):
    """Every n-th row of what was added, with n as small as the room allows.

    Attributes:
        room: rows that are kept at most; half of it at least, once so many were added.
        rows: the kept ones, in their order.
        step: every so many-th row is kept.
        seen: rows that were added.
    """

    room: int = MOST_ROWS
    rows: list[Row] = msgspec.field(default_factory=list)
    step: int = 1
    seen: int = 0

    def add(self, row: Row) -> None:
        """One more row."""
        if self.seen % self.step == 0:
            if len(self.rows) == self.room:
                del self.rows[1::2]
                self.step *= 2
            if self.seen % self.step == 0:
                self.rows.append(row)
        self.seen += 1


def sampled(rows: Iterable[Row], room: int = MOST_ROWS) -> Sample:
    """The sample of rows.

    >>> [row["n"] for row in sampled(({"n": n} for n in range(10)), room=4).rows]
    [0, 4, 8]
    """
    sample = Sample(room)
    for row in rows:
        sample.add(row)
    return sample
