"""Which incidents belong together: many shops at once, or many KPIs of one shop.

Many shops that depart alike have a shared cause (ours, a holiday, a sale): one incident with
the shop ``*`` covers theirs. Several KPIs of one shop: the most upstream one stands for all.
"""

from collections.abc import Collection, Iterable
from statistics import median

import msgspec

from streamwatch.domain.cells import ALL, DAY_MS
from streamwatch.domain.incidents import FLEET, Direction, Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.incidents.lifecycle import SILENCE, moment

LEAST_SHOPS = 5
LEAST_SHARE = 0.1
STILL_MANY = 3
"""A fleet's incident closes when fewer shops than these are left in it."""

LEAST_KPIS = 3
ALIKE_MS = DAY_MS + DAY_MS // 2
"""Incidents that began within this belong together."""

_UPSTREAM = ("silence", "rejects", "volume", "missing", "marks", "mean", "mix", "ratio")
_TOTALS = ("rejects", "marks")
_TYPES = ("widget-event", "purchase", "return")


class Group(msgspec.Struct, frozen=True, order=True):
    """What shops can have in common: a KPI in one direction."""

    event_type: str
    kpi: str
    span: str
    direction: str


def group_of(incident: Incident) -> Group | None:
    """The group of a shop's incident; ``None`` for a segment's."""
    key = incident.key
    if key.segment != ALL:
        return None
    return Group(key.event_type, key.kpi, key.span, incident.direction)


def is_wide(members: Collection[Incident], shops: int) -> bool:
    """Whether so many of the judged shops are more than chance and single causes give."""
    return len(members) >= LEAST_SHOPS and len(members) >= LEAST_SHARE * shops


def near(incident: Incident, since: int) -> bool:
    """Whether an incident began about then."""
    return abs(incident.since - since) <= ALIKE_MS


def wide_incident(
    members: Collection[Incident], shops: int, known: Incident | None, now: int
) -> Incident:
    """The incident of many shops: its value is how many they are.

    Args:
        members: the open incidents of single shops.
        shops: how many are judged.
        known: the one as last told, if it is open.
        now: the judge's clock.
    """
    first = min(members, key=lambda one: (one.since, one.id))
    key = msgspec.structs.replace(first.key, shop=FLEET)
    since = known.since if known else first.since
    direction: Direction = first.direction
    name = f"{FLEET}/{key.event_type}/{key.kpi}/{key.segment}/{key.span}/{direction}"
    worst = max(members, key=lambda one: (abs(one.score), one.id))
    return Incident(
        id=known.id if known else f"{name}@{moment(since)}",
        key=key,
        direction=direction,
        status="open",
        since=since,
        until=None,
        last_bucket=max(one.last_bucket for one in members),
        value=float(len(members)),
        expected=0.0,
        lower=0.0,
        upper=max(float(LEAST_SHOPS), LEAST_SHARE * shops),
        score=worst.score,
        buckets=max(one.buckets for one in members),
        reason=_wide_reason(key, direction, members, shops),
        revision=known.revision + 1 if known else 1,
        updated_at=now,
        acknowledged=known.acknowledged if known else "",
    )


def parts_of(
    incidents: Collection[Incident], fleetwide: Collection[str]
) -> list[tuple[Incident, str]]:
    """Which incident covers each open one of a shop; the empty string for none.

    A segment's is covered by that of all records, an hour's by its day's, a reason's by that of
    all rejects, what is missing in a silence by the silence, and all by the main one where there
    are many. What an incident of the fleet covers is left alone.

    Args:
        incidents: the shop's open ones.
        fleetwide: ids of the open incidents of the fleet.
    """
    own = [one for one in incidents if one.part_of not in fleetwide]
    main = main_of(own)
    whole: dict[tuple[str, str, str], Incident] = {}
    for one in sorted(incidents, key=lambda one: (one.key.span, one.id)):
        if one.key.segment == ALL:
            whole.setdefault((one.key.event_type, one.key.kpi, one.direction), one)
    found = []
    for one in own:
        place = (one.key.event_type, one.key.kpi, one.direction)
        cover = whole.get(place)
        if cover is None or cover is one:
            cover = main
        if cover is None or cover is one:
            cover = _of_kind(one, own)
        found.append((one, cover.id if cover is not None and cover is not one else ""))
    return found


def _of_kind(incident: Incident, others: Iterable[Incident]) -> Incident | None:
    """The incident that says the same of the same records, if one does."""
    key = incident.key
    kind, _, detail = key.kpi.partition(".")
    for other in others:
        if (other.key.event_type, other.key.segment) != (key.event_type, key.segment):
            continue
        of_total = bool(detail) and kind in _TOTALS and other.key.kpi == kind
        of_silence = other.key.kpi == SILENCE and (key.kpi, incident.direction) == ("volume", "low")
        if of_silence or (of_total and other.direction == incident.direction):
            return other
    return None


def main_of(incidents: Iterable[Incident]) -> Incident | None:
    """Of a shop's open incidents the one that stands for all; ``None`` for few KPIs."""
    ordered = sorted(incidents, key=_upstream)
    if len({(one.key.event_type, one.key.kpi) for one in ordered}) < LEAST_KPIS:
        return None
    return ordered[0]


def _upstream(incident: Incident) -> tuple[int, int, bool, int, str]:
    key = incident.key
    kind = key.kpi.partition(".")[0]
    place = _UPSTREAM.index(kind) if kind in _UPSTREAM else len(_UPSTREAM)
    of_type = _TYPES.index(key.event_type) if key.event_type in _TYPES else len(_TYPES)
    return place, of_type, key.segment != ALL, incident.since, incident.id


def _wide_reason(
    key: KpiKey, direction: Direction, members: Collection[Incident], shops: int
) -> str:
    many = f"{len(members)} of {shops} shops"
    if key.kpi == SILENCE:
        return (
            f"pipeline: {many} went silent at once ({key.event_type}); "
            "look at the topic and who writes to it before the shops"
        )
    shares = [one.value / one.expected - 1 for one in members if one.expected > 0]
    typical = f", typically {median(shares):+.0%}" if shares else ""
    return (
        f"{many} at once: {key.kpi} of {key.event_type} is {direction}{typical}; "
        "a shared cause (ours, a holiday, a sale), not one shop's"
    )
