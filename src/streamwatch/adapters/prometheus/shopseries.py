"""The series of one shop, as lines of the text format.

They are rendered when the shop's verdicts change, not at each scrape: a scrape of thousands
of shops then only joins what is ready. The lines of a gauge are the same in the Prometheus
text format and in OpenMetrics.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from math import isfinite
from typing import get_args

import msgspec

from streamwatch.adapters.prometheus import gauges
from streamwatch.adapters.prometheus.labels import quoted
from streamwatch.domain.cells import ALL
from streamwatch.domain.incidents import Direction, Incident
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
        open_incidents: how many are open.
    """

    first: Block
    segments: Block
    open_incidents: int


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
    for verdict in sorted(verdicts, key=_place):
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
    return ShopSeries(_block(first), _block(segments), len(running))


def _incidents_of(key: KpiKey, incidents: Iterable[Incident]) -> dict[Direction, int | None]:
    """The directions to tell of a KPI with incidents, and since when one is open, else ``None``.

    Of the whole shop both directions are told; of a segment only those that it departed in.
    """
    own = [incident for incident in incidents if incident.key == key]
    found: dict[Direction, int | None] = {}
    for direction in DIRECTIONS:
        here = [one for one in own if one.direction == direction]
        if here or key.segment == ALL:
            starts = [one.since for one in here if one.status == "open"]
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


def _labels(key: KpiKey) -> str:
    return (
        f'event_type="{quoted(key.event_type)}",kpi="{quoted(key.kpi)}",'
        f'segment="{quoted(key.segment)}",shop="{quoted(key.shop)}",span="{key.span}"'
    )


def _block(lines: Lines) -> Block:
    text = {gauge: "".join(of_gauge).encode() for gauge, of_gauge in lines.items()}
    return Block(text, sum(len(of_gauge) for of_gauge in lines.values()))


def _place(verdict: Verdict) -> tuple[str, str, str, str]:
    key = verdict.key
    return key.event_type, key.kpi, key.segment, key.span
