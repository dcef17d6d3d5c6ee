"""What a source delivers: single records, and slices of one partition."""

from collections.abc import Sequence
from typing import Protocol, Self

import msgspec


class Record(Protocol):
    """One record as a broker or a file delivers it.

    Its timestamp is -1 when nobody knows its arrival; its key is not relied on; a value of
    ``None`` is a tombstone.
    """

    @property
    def offset(self) -> int:
        """Position in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """Arrival, milliseconds."""
        ...

    @property
    def key(self) -> bytes | None:
        """The producer's key."""
        ...

    @property
    def value(self) -> bytes | None:
        """The payload."""
        ...


class FileRecord(msgspec.Struct, frozen=True, gc=False):
    """A `Record` that is no Kafka record: a line of a file, or one made in a test.

    >>> FileRecord(offset=7, value=b"{}").timestamp
    -1
    """

    offset: int
    value: bytes | None
    timestamp: int = -1
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Unreadable(bytes):
    """A value of which no JSON could be made, with the reason; as bytes it is what was sent."""

    reason: str

    def __new__(cls, value: bytes, reason: str) -> Self:
        """The same bytes, and why they cannot be read."""
        made = super().__new__(cls, value)
        made.reason = reason
        return made


class Slice(msgspec.Struct, frozen=True):
    """All records of one topic partition that one fetch returned; the unit of work.

    Attributes:
        topic: the topic's name.
        partition: the partition's number.
        records: in ascending offsets, possibly with gaps; never empty.
        generation: counts the seeks of the partition; a slice that was fetched before
            the latest seek carries a lower one.
        end_offset: end of the partition's log when the slice was fetched (the offset that
            the next record will get); ``None`` when the source does not know it.
        epoch: counts how often the topic was deleted and made anew; the runner fills it in.
    """

    topic: str
    partition: int
    records: Sequence[Record]
    generation: int = 0
    end_offset: int | None = None
    epoch: int = 0


class PartitionId(msgspec.Struct, frozen=True, order=True):
    """A partition that a step reads: step name, topic and partition number.

    >>> str(PartitionId("count", "purchase", 3))
    'count:purchase[3]'
    """

    step: str
    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.step}:{self.topic}[{self.partition}]"
