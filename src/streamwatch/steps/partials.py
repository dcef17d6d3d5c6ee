"""The partials that the judge keeps: per shop, event type and hour the newest of each source."""

import math
from collections.abc import Iterable

import msgspec

from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.messages import Partial

_encode = msgspec.msgpack.Encoder().encode
_cells = msgspec.msgpack.Decoder(dict[str, Cell])


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One source partition's share of an hour.

    Attributes:
        epoch, version: of the partial; higher replaces lower.
        count: records in the segment ``all``.
        cells: the cells, encoded: they are read again only when a bucket is judged, and
            bytes take a tenth of the memory.
    """

    epoch: int
    version: int
    count: int
    cells: bytes


Hour = dict[str, Part]
"""The newest part of each source partition, by ``topic[partition]``."""


def keep(hour: Hour, partial: Partial) -> int | None:
    """Take a partial in.

    Returns:
        By how many records the hour grew (0 when only sums changed), or ``None`` when the
        partial is no newer than what is known.
    """
    source = f"{partial.topic}[{partial.partition}]"
    known = hour.get(source)
    if known and (partial.epoch, partial.version) <= (known.epoch, known.version):
        return None
    count = partial.cells[ALL].count if ALL in partial.cells else 0
    cells = _encode({name: _needed(cell) for name, cell in partial.cells.items()})
    hour[source] = Part(partial.epoch, partial.version, count, cells)
    return count - (known.count if known else 0)


def merged(hours: Iterable[Hour]) -> dict[str, Cell]:
    """The sums over hours and sources, by segment.

    Sources are taken in the order of their names, since sums of floats depend on order.
    """
    total: dict[str, Cell] = {}
    for hour in hours:
        for source in sorted(hour):
            for segment, cell in _cells.decode(hour[source].cells).items():
                if segment in total:
                    total[segment].merge(cell)
                else:
                    total[segment] = cell
    return total


def count(hours: Iterable[Hour]) -> int:
    """Records over hours and sources."""
    return sum(part.count for hour in hours for part in hour.values())


def _needed(cell: Cell) -> Cell:
    """The cell without what no baseline reads yet, and without numbers that are none."""
    numbers = {
        name: moments
        for name, moments in cell.numbers.items()
        if math.isfinite(moments.mean) and math.isfinite(moments.m2)
    }
    return Cell(count=cell.count, numbers=numbers, stages=cell.stages, transitions=cell.transitions)
