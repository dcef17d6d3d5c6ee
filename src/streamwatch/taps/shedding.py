"""How many tap rows are written while the database is slow.

A slow flush halves the share of events whose rows are written, a fast one lets it grow again. It
is a share by the hash of the event id, so the events that are left are there at every stage.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from streamwatch.domain.rows import Row, TapRow, TapRows
from streamwatch.taps.select import places_in_sample, sample_threshold

SMALLEST = 1 / 64
"""The share below which nothing is written at all."""

GROWTH = 1.25
FAST = 0.5
"""The part of the limit below which a flush is fast."""


def next_share(share: float, seconds: float, limit: float) -> float:
    """The share of the events after a flush that took so long.

    Args:
        share: before it, 0 to 1.
        seconds: what the database took.
        limit: seconds from which a flush is slow.

    >>> next_share(1.0, seconds=3.0, limit=2.0), next_share(0.5, seconds=0.1, limit=2.0)
    (0.5, 0.625)
    """
    if seconds > limit:
        halved = share / 2
        return halved if halved >= SMALLEST else 0.0
    if seconds < limit * FAST:
        return min(1.0, max(share, SMALLEST / GROWTH) * GROWTH)
    return share


def shed(
    rows: Sequence[Row], share: float, held: frozenset[str]
) -> tuple[list[Row], Counter[tuple[str, str, str]]]:
    """The rows without the tap rows of events beyond the share, and how many those were.

    A row that a held tap took as well stays.

    Returns:
        The rows to write, and by event type, stage and tap how many are left out.
    """
    threshold = sample_threshold(share)
    kept: list[Row] = []
    dropped: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        taken = row.alone() if isinstance(row, TapRow) else row
        if not isinstance(taken, TapRows) or not held.isdisjoint(taken.tap.split(",")):
            kept.append(row)
            continue
        left = places_in_sample([str(values[1]) for values in taken.values], threshold)
        if len(left) < len(taken):
            dropped[taken.event_type, taken.stage, taken.tap] += len(taken) - len(left)
        if left:
            kept.append(
                msgspec.structs.replace(taken, values=[taken.values[place] for place in left])
            )
    return kept, dropped
