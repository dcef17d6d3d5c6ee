"""Where every record of a partition went."""

import msgspec


class Accounting(msgspec.Struct):
    """Counts of one topic partition since its first record; they always add up.

    ``records_in = aggregated + rejected + dead_lettered + duplicates`` and
    ``records_in - duplicates + gaps = next_offset - first_offset``: a duplicate is a record
    that was delivered again although the fence had passed it, a gap an offset that the
    broker does not have (compaction, transaction markers, retention).

    >>> counts = Accounting(first_offset=5, next_offset=10, records_in=6, aggregated=3,
    ...                     rejected=1, duplicates=2, gaps=1)
    >>> counts.adds_up
    True
    """

    first_offset: int = 0
    next_offset: int = 0
    records_in: int = 0
    aggregated: int = 0
    rejected: int = 0
    dead_lettered: int = 0
    duplicates: int = 0
    gaps: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether both identities hold."""
        ends = self.aggregated + self.rejected + self.dead_lettered + self.duplicates
        passed = self.next_offset - self.first_offset
        return self.records_in == ends and self.records_in - self.duplicates + self.gaps == passed
