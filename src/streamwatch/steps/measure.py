"""From a closed bucket's cells to its readings and stage statistics."""

from collections.abc import Iterator

from streamwatch.domain.cells import ALL, Cell, Moments, Transition
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.rows import StageRow

SEGMENT_RECORDS = 30
"""Records a segment needs in a bucket before its means, and from then on its volume, are judged."""

MOST_SEGMENTS = 64
"""Segments of one shop and event type that are judged; later ones are left out."""


def day_readings(
    shop: str, event_type: str, day: int, slot: int, cells: dict[str, Cell], known: set[str]
) -> Iterator[Reading]:
    """The readings of one day.

    Args:
        shop: whose readings.
        event_type: of what.
        day: the local midnight that begins it.
        slot: its weekday.
        cells: per segment; a segment without any record may lack.
        known: segments whose volume is judged, also when it is zero; grows in place.
    """
    for segment in sorted(known | set(cells) | {ALL}):
        cell = cells.get(segment, Cell())
        enough = segment == ALL or cell.count >= SEGMENT_RECORDS
        if enough and segment != ALL and len(known) < MOST_SEGMENTS:
            known.add(segment)
        if segment != ALL and segment not in known:
            continue
        yield Reading(
            key=KpiKey(shop, event_type, "volume", segment),
            bucket=day,
            slot=slot,
            value=float(cell.count),
            n=cell.count,
        )
        if enough:
            yield from _means(shop, event_type, segment, day, slot, cell)


def hour_reading(shop: str, event_type: str, hour: int, slot: int, count: int) -> Reading:
    """The volume of one hour."""
    key = KpiKey(shop, event_type, "volume", ALL, "hour")
    return Reading(key=key, bucket=hour, slot=slot, value=float(count), n=count)


def stage_rows(shop: str, event_type: str, day: int, cell: Cell) -> Iterator[StageRow]:
    """What each stage saw of each feature, and what it changed."""
    for stage in sorted(set(cell.stages) | set(cell.transitions)):
        after = cell.stages.get(stage, {})
        changes = cell.transitions.get(stage, {})
        for feature in sorted(set(after) | set(changes)):
            yield StageRow(
                shop=shop,
                event_type=event_type,
                span="day",
                bucket=day,
                stage=stage,
                feature=feature,
                moments=after.get(feature, Moments()),
                transition=changes.get(feature, Transition()),
            )


def _means(
    shop: str, event_type: str, segment: str, day: int, slot: int, cell: Cell
) -> Iterator[Reading]:
    for feature in sorted(cell.numbers):
        moments = cell.numbers[feature]
        if moments.n > 0:
            yield Reading(
                key=KpiKey(shop, event_type, f"mean.{feature}", segment),
                bucket=day,
                slot=slot,
                value=moments.mean,
                n=moments.n,
                variance=moments.variance,
            )
