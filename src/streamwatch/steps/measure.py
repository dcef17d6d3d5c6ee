"""From a closed bucket's cells to its readings and stage statistics."""

from collections.abc import Iterable, Iterator

from streamwatch.domain.cells import ALL, Cell, Moments, Transition
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.readings import STAGE_SEGMENT, Place, Reading
from streamwatch.domain.rows import StageRow
from streamwatch.steps import partials, rates
from streamwatch.steps.partials import Hour

SEGMENT_RECORDS = 30
"""Records a segment needs in a bucket before its means, and from then on its volume, are judged."""

MOST_SEGMENTS = 64
"""Segments of one shop and event type that are judged; later ones are left out."""

MOST_KINDS = 16
"""Kinds of a split feature (currencies) and reasons that are judged of one shop."""


def readings_of(place: Place, cells: dict[str, Cell], known: set[str]) -> Iterator[Reading]:
    """The readings of a day or a week: of the shop all KPIs, of its segments volume and means.

    Args:
        place: the bucket.
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
        yield volume(place, cell.count, segment)
        if enough:
            yield from means(place, segment, cell)
    everything = cells.get(ALL, Cell())
    kind = EVENT_TYPES.get(place.event_type)
    if kind is not None:
        yield from rates.missing(place, kind, everything)
        yield from rates.mixes(place, kind, everything)
        if everything.beside:
            yield from stages_elsewhere(place, everything)


def records(hours: Iterable[Hour]) -> int:
    """Records over hours and sources."""
    return partials.count(hours)


def volume(place: Place, count: int, segment: str = ALL) -> Reading:
    """A volume."""
    key = place.key("volume", segment)
    return Reading(key=key, bucket=place.bucket, slot=place.slot, value=float(count), n=count)


def means(place: Place, segment: str, cell: Cell) -> Iterator[Reading]:
    """The mean of every numeric feature, with the sketch of the single values."""
    for feature in sorted(cell.numbers)[:MOST_KINDS]:
        if cell.numbers[feature].n > 0:
            yield mean(place, segment, cell, feature)


def mean(place: Place, segment: str, cell: Cell, feature: str) -> Reading:
    """The mean of one feature; of no records where the cell has none."""
    moments = cell.numbers.get(feature, Moments())
    return Reading(
        key=place.key(f"mean.{feature}", segment),
        bucket=place.bucket,
        slot=place.slot,
        value=moments.mean,
        n=moments.n,
        variance=moments.variance,
        bins=cell.sketches.get(feature, {}),
    )


def stages_elsewhere(place: Place, cell: Cell) -> Iterator[Reading]:
    """What stages in other services made of the records, as segments of the shop."""
    kind = EVENT_TYPES[place.event_type]
    for stage, features in sorted(cell.beside.items()):
        labels = cell.beside_labels.get(stage, {})
        given = Cell(
            count=max((sum(values.values()) for values in labels.values()), default=0),
            numbers=features,
            labels=labels,
            sketches=cell.beside_sketches.get(stage, {}),
        )
        yield from means(place, STAGE_SEGMENT + stage, given)
        yield from rates.missing(place, kind, given, STAGE_SEGMENT + stage)
        yield from rates.mixes(place, kind, given, STAGE_SEGMENT + stage)


def stage_rows(shop: str, event_type: str, day: int, cell: Cell) -> Iterator[StageRow]:
    """What each stage saw of each feature, and what it changed."""
    seen = {**cell.beside, **cell.stages}
    for stage in sorted(set(seen) | set(cell.transitions)):
        after = seen.get(stage, {})
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
