"""The partials that the judge keeps: per shop, event type and hour the newest of each source."""

import math
from collections.abc import Iterable

import msgspec

from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.messages import Partial
from streamwatch.domain.refusals import STAGES

_encode = msgspec.msgpack.Encoder().encode
_cells = msgspec.msgpack.Decoder(dict[str, Cell])
_unread = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_cell = msgspec.msgpack.Decoder(Cell)


class _Count(msgspec.Struct):
    """Of a cell only how many records it holds."""

    count: int = 0


_counts = msgspec.msgpack.Decoder(dict[str, _Count])


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One source partition's share of an hour.

    Attributes:
        epoch, version: of the partial; higher replaces lower.
        count: records in the segment ``all``.
        cells: the cells, encoded: they are read again only when a bucket is judged, and
            bytes take a tenth of the memory.
        first, last: arrival of the first and of the newest record, milliseconds; 0 if unknown.
    """

    epoch: int
    version: int
    count: int
    cells: bytes
    first: int = 0
    last: int = 0


Hour = dict[str, Part]
"""The newest part of each source partition, by ``topic[partition]``."""


class Kept(msgspec.Struct, frozen=True):
    """A partial that was taken in: the part it replaced, if any, and the new one."""

    before: Part | None
    after: Part

    @property
    def growth(self) -> int:
        """By how many records the hour grew; 0 when only sums changed."""
        return self.after.count - (self.before.count if self.before else 0)


def keep(hour: Hour, partial: Partial, sent: bytes = b"") -> Kept | None:
    """Take a partial in; ``None`` when it is no newer than what is known.

    Args:
        hour: the parts known so far; changed in place.
        partial: the new one.
        sent: its cells as they came, where they are known.
    """
    source = f"{partial.topic}[{partial.partition}]"
    known = hour.get(source)
    if known and (partial.epoch, partial.version) <= (known.epoch, known.version):
        return None
    everything = partial.cells.get(ALL, Cell())
    # Every record of a source passes decode first; the topic of a stage elsewhere has no decode.
    if everything.stages and STAGES[0] not in everything.stages:
        sent = _encode(partial.cells | {ALL: _beside(everything)})
    hour[source] = Part(
        partial.epoch,
        partial.version,
        everything.count,
        sent or _encode(partial.cells),
        everything.first_arrival,
        everything.last_arrival,
    )
    return Kept(known, hour[source])


def merged(hours: Iterable[Hour]) -> dict[str, Cell]:
    """The sums over hours and sources, by segment.

    Sources are taken in the order of their names, since sums of floats depend on order.
    """
    total: dict[str, Cell] = {}
    for hour in hours:
        for source in sorted(hour):
            for segment, cell in cells_of(hour[source]).items():
                if segment in total:
                    total[segment].merge(cell)
                else:
                    total[segment] = cell
    return total


def counts(hours: Iterable[Hour]) -> dict[str, int]:
    """Records over hours and sources by segment, without reading the sums."""
    total: dict[str, int] = {}
    for hour in hours:
        for part in hour.values():
            for segment, cell in _counts.decode(part.cells).items():
                total[segment] = total.get(segment, 0) + cell.count
    return total


def cells_of(part: Part) -> dict[str, Cell]:
    """The cells of a part, by segment."""
    return {name: _fit(cell) for name, cell in _cells.decode(part.cells).items()}


def whole_of(part: Part | None) -> Cell:
    """The cell of all records of a part; those of its segments are not read."""
    if part is None:
        return Cell()
    found = _unread.decode(part.cells).get(ALL)
    return Cell() if found is None else _fit(_cell.decode(found))


def count(hours: Iterable[Hour]) -> int:
    """Records over hours and sources."""
    return sum(part.count for hour in hours for part in hour.values())


def _beside(cell: Cell) -> Cell:
    """What a stage elsewhere tells, put aside: it counts nowhere else."""
    (stage,) = cell.stages
    return Cell(
        rejects=cell.rejects,
        beside=cell.stages,
        beside_sketches={stage: cell.sketches},
        beside_labels={stage: cell.labels},
    )


def _fit(cell: Cell) -> Cell:
    """The cell without numbers that are none."""
    if not math.isfinite(sum([one.mean + one.m2 for one in cell.numbers.values()])):
        cell.numbers = {
            name: one
            for name, one in cell.numbers.items()
            if math.isfinite(one.mean) and math.isfinite(one.m2)
        }
    return cell
