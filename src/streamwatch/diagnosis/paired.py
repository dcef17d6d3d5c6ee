"""What a stage did to single records: the same ones before and after it, from tap rows."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import msgspec

SAME = 1e-6
"""Relative difference below which a record counts as unchanged."""


class Pair(msgspec.Struct, frozen=True):
    """One record at two stages.

    Attributes:
        topic, partition, offset: its coordinates.
        event_id: the client's own id.
        occurred_at: event time, milliseconds; ``None`` if unknown.
        before, after: the value; ``None`` where it lacks it or was refused.
        fields: its categorical fields.
    """

    topic: str
    partition: int
    offset: int
    event_id: str
    occurred_at: int | None
    before: float | None
    after: float | None
    fields: Mapping[str, str | None] = {}

    @property
    def changed(self) -> bool:
        """Whether the value came out differently."""
        if self.before is None or self.after is None:
            return self.before is not self.after
        return abs(self.after - self.before) > SAME * max(abs(self.before), abs(self.after))


class Paired(msgspec.Struct, frozen=True):
    """The changes between two neighbouring stages.

    Attributes:
        records: paired records.
        changed: how many came out differently.
        ratio: median of after / before among those, ``None`` if unknown.
        first: the first changed record by event time.
    """

    records: int
    changed: int
    ratio: float | None
    first: Pair | None

    @property
    def share(self) -> float:
        """Share of the records that came out differently."""
        return self.changed / self.records if self.records else 0.0


def paired(pairs: Iterable[Pair]) -> Paired:
    """Sum up the pairs of one transition.

    >>> wrong, right = Pair("t", 0, 7, "e", 0, 170.0, 66.9), Pair("t", 0, 8, "f", 1, 180.0, 180.0)
    >>> found = paired([wrong, right])
    >>> found.share, round(found.ratio, 3), found.first.offset
    (0.5, 0.394, 7)
    """
    known = list(pairs)
    changed = [pair for pair in known if pair.changed]
    ratios = [
        pair.after / pair.before for pair in changed if pair.before and pair.after is not None
    ]
    return Paired(
        records=len(known),
        changed=len(changed),
        ratio=median(ratios) if ratios else None,
        first=min(changed, key=_order, default=None),
    )


def _order(pair: Pair) -> tuple[int, str, int, int]:
    return (pair.occurred_at or 0, pair.topic, pair.partition, pair.offset)


def affected_and_others(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """The changed records, and the others."""
    return [pair for pair in pairs if pair.changed], [pair for pair in pairs if not pair.changed]
