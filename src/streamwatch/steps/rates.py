"""The readings that are shares: missing fields, rejects, marks, ratios of two types, mixes."""

from collections.abc import Iterator, Mapping

from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.events import EventType
from streamwatch.domain.readings import Place, Reading

RATIOS: dict[str, tuple[str, str]] = {
    "ratio.returns": ("return", "purchase"),
    "ratio.conversion": ("purchase", "widget-event"),
}
"""KPI → the event types above and below the line."""


def partners(event_type: str) -> set[str]:
    """An event type, and those with which it makes a ratio.

    >>> sorted(partners("purchase"))
    ['purchase', 'return', 'widget-event']
    """
    return {event_type}.union(*(pair for pair in RATIOS.values() if event_type in pair))


RATIO_RECORDS = 20
"""Records below the line without which a ratio is not judged."""

MOVED = 1.3
"""Factor from which on what is below the line of a ratio has moved itself."""

MOST_REASONS = 24
"""Reasons of rejects, and rules that mark, that are judged apart in one shop."""

NOT_MIXED = frozenset({"app_version"})
"""Labels whose mix shifts by design: with every release."""


def share(place: Place, kpi: str, hits: int, n: int, segment: str = ALL) -> Reading:
    """A share; 0 of 0 is 0."""
    return Reading(
        key=place.key(kpi, segment),
        bucket=place.bucket,
        slot=place.slot,
        value=hits / n if n else 0.0,
        n=n,
        hits=hits,
    )


def missing(place: Place, kind: EventType, cell: Cell, segment: str = ALL) -> Iterator[Reading]:
    """How often each field lacks."""
    for field, (hits, n) in sorted(missing_counts(kind, cell).items()):
        if n:
            yield share(place, f"missing.{field}", hits, n, segment)


def missing_counts(kind: EventType, cell: Cell) -> dict[str, tuple[int, int]]:
    """Field → records that lack it, and records counted."""
    found = {}
    for field in kind.numbers:
        if field in kind.split:
            own = [m for name, m in cell.numbers.items() if name.startswith(f"{field}.")]
        else:
            own = [cell.numbers[field]] if field in cell.numbers else []
        lacking = sum(moments.missing for moments in own)
        if own:
            found[field] = (lacking, lacking + sum(moments.n for moments in own))
    for field in kind.labels:
        if field in cell.labels:
            found[field] = (cell.labels[field].get("", 0), cell.count)
    return found


def mixes(place: Place, kind: EventType, cell: Cell, segment: str = ALL) -> Iterator[Reading]:
    """How the records spread over the values of each label, those without one left out."""
    for label in kind.labels:
        counts = {value: n for value, n in cell.labels.get(label, {}).items() if value and n > 0}
        if counts and label not in NOT_MIXED:
            key = place.key(f"mix.{label}", segment)
            yield Reading(key, place.bucket, place.slot, 0.0, sum(counts.values()), counts=counts)


def refusals(place: Place, cell: Cell, known: set[str]) -> Iterator[Reading]:
    """Rejects and marks, all together and by reason or rule.

    Args:
        place: the bucket.
        cell: of all records in it.
        known: KPIs seen before, which are judged also when there is none; grows in place.
    """
    n = cell.count + sum(cell.rejects.values())
    for kind, counts, total in (("rejects", cell.rejects, n), ("marks", cell.marks, cell.count)):
        # A record may break several rules, so the marks together are no share of the records.
        hits = min(sum(counts.values()), total)
        yield share(place, kind, hits, total)
        reasons = {f"{kind}.{reason}": count for reason, count in counts.items()}
        for name in sorted(reasons.keys() | {one for one in known if one.startswith(f"{kind}.")}):
            if name not in known and len(known) >= MOST_REASONS:
                continue
            known.add(name)
            hits = min(reasons.get(name, 0), total)
            yield share(place, name, hits, total)


def says_nothing(kpi: str, pace: float | None) -> str:
    """Why a ratio is not judged in a bucket; empty where it is.

    What is returned today was bought over the last weeks. So on a day on which much less or
    more is bought than usual the ratio moves, though nobody returns more.

    Args:
        kpi: one of `RATIOS`.
        pace: records below the line in parts of those expected; ``None`` while these are unknown.

    >>> says_nothing("ratio.returns", 0.4)
    'purchases are 40% of what was expected: the ratio says nothing about returns'
    >>> says_nothing("ratio.returns", 1.1), says_nothing("ratio.conversion", 0.4)
    ('', '')
    """
    if kpi != "ratio.returns":
        return ""
    if pace is None:
        return "how many purchases are usual is not known yet"
    if 1 / MOVED <= pace <= MOVED:
        return ""
    return f"purchases are {pace:.0%} of what was expected: the ratio says nothing about returns"


def ratios(
    place: Place, kpi: str, above: Mapping[str, int], below: Mapping[str, int]
) -> Iterator[Reading]:
    """A ratio of two event types, overall and for the segments that both have.

    Args:
        place: the bucket; its event type is the one above the line.
        kpi: one of `RATIOS`.
        above: records per segment, of the type above the line.
        below: of the type below the line.
    """
    for segment in sorted({ALL} | (above.keys() & below.keys())):
        n = below.get(segment, 0)
        if n >= RATIO_RECORDS:
            yield share(place, kpi, above.get(segment, 0), n, segment)
