"""The continuity guard: every slice must begin where the last one ended.

It trusts nobody: not the consumer's position after a rebalance, not the queue before us, not
Kafka's committed offset. A slice that begins too late makes it seek back once; if the broker
then returns the same hole, the hole is real (compaction, transaction markers, retention) and
is counted as a gap.
"""

from collections.abc import Sequence

import msgspec

from streamwatch.domain.records import Record, Slice


class Admission(msgspec.Struct, frozen=True):
    """What the guard says of a slice.

    Attributes:
        records: those to be processed, in order; empty for a slice that is passed over.
        duplicates: records that were delivered again.
        gaps: offsets that the broker does not have.
        seek_to: where the consumer must seek to, or ``None``.
    """

    records: Sequence[Record] = ()
    duplicates: int = 0
    gaps: int = 0
    seek_to: int | None = None


class Continuity:
    """The guard of one partition.

    >>> from streamwatch.domain.records import FileRecord
    >>> guard = Continuity(5)
    >>> guard.admit(Slice("purchase", 0, [FileRecord(4, b""), FileRecord(5, b"")])).duplicates
    1
    >>> guard.admit(Slice("purchase", 0, [FileRecord(9, b"")])).seek_to
    6
    >>> guard.admit(Slice("purchase", 0, [FileRecord(9, b"")], generation=1)).gaps
    3
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self._awaited = 0
        self._sought: int | None = None

    def admit(self, slice_: Slice) -> Admission:
        """Admit what continues, pass over what is stale, seek back over a hole."""
        if slice_.generation < self._awaited:
            return Admission()
        records = slice_.records
        first, last = records[0].offset, records[-1].offset
        if first > self.expected and self._sought != self.expected:
            self._sought = self.expected
            self._awaited = slice_.generation + 1
            return Admission(seek_to=self.expected)
        fresh = records
        if first < self.expected:
            fresh = [record for record in records if record.offset >= self.expected]
        duplicates = len(records) - len(fresh)
        if not fresh:
            return Admission(duplicates=duplicates)
        gaps = last + 1 - self.expected - len(fresh)
        self.expected = last + 1
        self._sought = None
        return Admission(fresh, duplicates, gaps)
