"""The series of one shop, as lines of the text format.

They are rendered when the shop's verdicts change, not at each scrape: a scrape of thousands
of shops then only joins what is ready. The lines of a gauge are the same in the Prometheus
text format and in OpenMetrics.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from math import isfinite, nan
from typing import get_args

import msgspec

from streamwatch.adapters.prometheus.labels import quoted
from streamwatch.domain import gauges
from streamwatch.domain.cells import ALL
from streamwatch.domain.incidents import FLEET, Direction, Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import Verdict

Lines = defaultdict[str, list[str]]
"""Gauge → its lines."""

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


class Block(msgspec.Struct, frozen=True):
    """Lines that are exported together or not at all: gauge → text, and how many they are."""

    text: Mapping[str, bytes]
    series: int


class ShopSeries(msgspec.Struct, frozen=True):
    """What a scrape tells of one shop.

    Attributes:
        first: the whole shop, its incidents, and the segments with an open one.
        segments: all other segments.
    """

    first: Block
    segments: Block


TOP_SEGMENTS = 16
"""Segments of a KPI of a shop that are told each for itself."""

OTHER = "other"
"""The segment that stands for the rest; those of shops have a label and a value."""

MOST_OF_A_KPI = 10
"""Three states, the score, four of the measure, and two directions of incidents."""

MOST_OF_AN_INCIDENT = 5
"""Two directions, since when one or two are open, and the origin."""


def most_series(verdicts: Collection[Verdict], incidents: Collection[Incident]) -> int:
    """No fewer than the series of a shop; quick."""
    return MOST_OF_A_KPI * len(verdicts) + MOST_OF_AN_INCIDENT * len(incidents)


def count_series(
    verdicts: Collection[Verdict], incidents: Collection[Incident], min_group: int
) -> tuple[int, int]:
    """How many series `shop_series` would render: of the whole shop, and of the segments.

    For a shop without incidents they are counted, in a sixth of the time of rendering.
    """
    if incidents:
        rendered = shop_series(verdicts, incidents, min_group)
        return rendered.first.series, rendered.segments.series
    whole = segments = 0
    for verdict in with_other(verdicts, ()):
        series = 3 + (verdict.state != "warming" and isfinite(verdict.score))
        measure, _ = gauges.measure_of(verdict.key.kpi)
        if measure is not None and not (measure.personal and verdict.n < min_group):
            values = (verdict.value, verdict.expected, verdict.lower, verdict.upper)
            series += sum(value is not None and isfinite(value) for value in values)
        if verdict.key.segment == ALL:
            whole += series + len(DIRECTIONS)
        else:
            segments += series
    return whole, segments


def shop_series(
    verdicts: Collection[Verdict], incidents: Collection[Incident], min_group: int
) -> ShopSeries:
    """The series of one shop.

    Args:
        verdicts: the newest of each KPI.
        incidents: the known ones, open and closed.
        min_group: people from whom on a mean body measure is told.
    """
    first: Lines = defaultdict(list)
    segments: Lines = defaultdict(list)
    running = [incident for incident in incidents if incident.status == "open"]
    departed = {incident.key for incident in running}
    known = {incident.key for incident in incidents}
    for verdict in sorted(with_other(verdicts, departed), key=_place):
        key = verdict.key
        labels = _labels(key)
        is_first = key.segment == ALL or key in departed
        _add_kpi(first if is_first else segments, verdict, labels, min_group)
        if key.segment == ALL and key not in known:
            for direction in DIRECTIONS:
                _add_incident(first, direction, labels, None)
    for key in sorted(known):
        for direction, since in _incidents_of(key, incidents).items():
            _add_incident(first, direction, _labels(key), since)
    newest = {(one.key, one.direction): one for one in sorted(running, key=_start)}
    for incident in newest.values():
        _add_origin(first, incident)
    return ShopSeries(_block(first), _block(segments))


def with_other(verdicts: Collection[Verdict], departed: Collection[KpiKey]) -> list[Verdict]:
    """The verdicts of which series are told: of too many segments, the last ones become one.

    Told for themselves are the `TOP_SEGMENTS` of a KPI: with an open incident, unusual, the
    largest first. The others become the segment `OTHER`, with the score farthest from zero.
    """
    if len(verdicts) <= TOP_SEGMENTS:
        return list(verdicts)
    told: list[Verdict] = []
    of_kpi: defaultdict[tuple[str, str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        key = verdict.key
        if key.segment == ALL:
            told.append(verdict)
        else:
            of_kpi[key.event_type, key.kpi, key.span].append(verdict)
    for segments in of_kpi.values():
        if len(segments) > TOP_SEGMENTS:
            segments.sort(
                key=lambda one: (
                    one.key not in departed,
                    one.state != "unusual",
                    -one.n,
                    one.key.segment,
                )
            )
            told.append(_other(segments[TOP_SEGMENTS:]))
        told += segments[:TOP_SEGMENTS]
    return told


def _other(verdicts: list[Verdict]) -> Verdict:
    states = {verdict.state for verdict in verdicts}
    scores = [one.score for one in verdicts if one.state != "warming" and isfinite(one.score)]
    return Verdict(
        key=msgspec.structs.replace(verdicts[0].key, segment=OTHER),
        bucket=max(verdict.bucket for verdict in verdicts),
        value=nan,
        n=sum(verdict.n for verdict in verdicts),
        state=next(state for state in ("unusual", "usual", "warming") if state in states),
        score=max(scores, key=abs, default=nan),
        expected=None,
        lower=None,
        upper=None,
        reason="",
    )


def _incidents_of(key: KpiKey, incidents: Iterable[Incident]) -> dict[Direction, int | None]:
    """The directions to tell of a KPI with incidents, and since when one is open, else ``None``.

    Of the whole shop both directions are told; of a segment only those that it departed in. An
    incident for which another one stands is not told as open, so that one cause alerts once.
    """
    own = [incident for incident in incidents if incident.key == key]
    found: dict[Direction, int | None] = {}
    for direction in DIRECTIONS:
        here = [one for one in own if one.direction == direction]
        if here or key.segment == ALL:
            starts = [one.since for one in here if one.status == "open" and not one.part_of]
            found[direction] = max(starts, default=None)
    return found


def _add_kpi(lines: Lines, verdict: Verdict, labels: str, min_group: int) -> None:
    state = verdict.state
    lines[gauges.UNUSUAL].append(f"{gauges.UNUSUAL}{{{labels}}} {int(state == 'unusual')}\n")
    lines[gauges.WARMING].append(f"{gauges.WARMING}{{{labels}}} {int(state == 'warming')}\n")
    lines[gauges.BUCKET].append(f"{gauges.BUCKET}{{{labels}}} {verdict.bucket / 1000!r}\n")
    if state != "warming" and isfinite(verdict.score):
        lines[gauges.DEVIATION].append(f"{gauges.DEVIATION}{{{labels}}} {verdict.score!r}\n")
    measure, currency = gauges.measure_of(verdict.key.kpi)
    # Value, band and score together would tell the measure of the one person in the bucket.
    if measure is None or (measure.personal and verdict.n < min_group):
        return
    if currency:
        labels = f'currency="{quoted(currency)}",{labels}'
    divisor = measure.divisor
    for gauge, value in (
        (measure.value, verdict.value),
        (measure.expected, verdict.expected),
        (measure.lower, verdict.lower),
        (measure.upper, verdict.upper),
    ):
        if value is not None and isfinite(value):
            lines[gauge].append(f"{gauge}{{{labels}}} {value / divisor!r}\n")


def _add_incident(lines: Lines, direction: Direction, labels: str, since: int | None) -> None:
    labels = f'direction="{direction}",{labels}'
    is_open = 0 if since is None else 1
    lines[gauges.INCIDENT_OPEN].append(f"{gauges.INCIDENT_OPEN}{{{labels}}} {is_open}\n")
    if since is not None:
        gauge = gauges.INCIDENT_SINCE
        lines[gauge].append(f"{gauge}{{{labels}}} {since / 1000!r}\n")


def _add_origin(lines: Lines, incident: Incident) -> None:
    gauge, origin = gauges.INCIDENT_ORIGIN, quoted(origin_of(incident))
    labels = f'direction="{incident.direction}",{_labels(incident.key)}'
    lines[gauge].append(f'{gauge}{{covered="{_covered(incident)}",{labels},origin="{origin}"}} 1\n')


def _covered(incident: Incident) -> str:
    """Which other incident stands for this one: of the ``fleet``, of the ``shop``, or none."""
    if not incident.part_of:
        return ""
    return "fleet" if incident.part_of.startswith(f"{FLEET}/") else "shop"


def origin_of(incident: Incident) -> str:
    """Where the departure came in: ``client``, the name of a stage, or ``undetermined``."""
    return incident.origin or "undetermined"


def _labels(key: KpiKey) -> str:
    before = _labels_before_shop(key.event_type, key.kpi, key.segment)
    return f'{before}{quoted(key.shop)}",span="{key.span}"'


@lru_cache(maxsize=8_192)
def _labels_before_shop(event_type: str, kpi: str, segment: str) -> str:
    """The same for all shops, so that it is put together once."""
    return (
        f'event_type="{quoted(event_type)}",kpi="{quoted(kpi)}",segment="{quoted(segment)}",shop="'
    )


def _block(lines: Lines) -> Block:
    text = {gauge: "".join(of_gauge).encode() for gauge, of_gauge in lines.items()}
    return Block(text, sum(len(of_gauge) for of_gauge in lines.values()))


def _place(verdict: Verdict) -> tuple[str, str, str, str]:
    key = verdict.key
    return key.event_type, key.kpi, key.segment, key.span


def _start(incident: Incident) -> tuple[int, str]:
    return incident.since, incident.id
