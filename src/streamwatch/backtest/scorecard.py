"""The scorecard: what was found, how soon, and what alarmed without a fault.

Everything counts incidents, never single points: an incident of many buckets is one alarm,
and a fault of many buckets is found or not. Adjusting points ("one hit makes the whole window
right") is not done, since it lets a coin look good (Kim et al. 2022, arXiv:2109.05257).
"""

import math
import statistics
from collections.abc import Iterable, Sequence

import msgspec

from streamwatch.backtest.alarms import (
    Alarms,
    alarms_by_kpi,
    alarms_by_size,
    began,
    class_of,
    count_classes,
    overlaps,
    shop_months_of,
)
from streamwatch.backtest.labels import Fault
from streamwatch.backtest.record import Record
from streamwatch.backtest.sizes import order, share, size_class
from streamwatch.domain.cells import HOUR_MS


class Delay(msgspec.Struct, frozen=True):
    """Hours from a fault's start until its first incident opened; ``None`` if none was."""

    median: float | None
    p95: float | None


class Finding(msgspec.Struct, frozen=True):
    """How the faults of one kind, or one size class, fared."""

    name: str
    faults: int
    found: int
    recall: float | None
    delay_hours: Delay


class Told(msgspec.Struct, frozen=True):
    """A fault that an incident told, how soon, and how large its shop is."""

    kind: str
    shop: str
    start: int
    argument: str
    size: str
    delay_hours: float


class Missed(msgspec.Struct, frozen=True):
    """A fault that no incident told."""

    kind: str
    shop: str
    start: int
    argument: str
    size: str


class Scorecard(msgspec.Struct, frozen=True):
    """The whole of it.

    Attributes:
        shops: how many were judged.
        shop_months: how long they were, together.
        incidents, hits, beside, false: those that alarmed somebody; see `Alarms`.
        covered: incidents that were part of another one from the start.
        precision: hits among hits and false alarms; ``None`` without any.
        recall: found faults among all; ``None`` without any.
        by_kind, by_size, by_kind_and_size: of the faults.
        alarms_by_kpi, alarms_by_size: of the incidents.
        told, missed: every single fault.
        classes: id of an incident → ``hit``, ``beside`` or ``false``, of those that alarmed.
    """

    shops: int
    shop_months: float
    incidents: int
    covered: int
    hits: int
    beside: int
    false: int
    precision: float | None
    faults: int
    found: int
    recall: float | None
    delay_hours: Delay
    by_kind: tuple[Finding, ...]
    by_size: tuple[Finding, ...]
    by_kind_and_size: tuple[Finding, ...]
    alarms_by_kpi: tuple[Alarms, ...]
    alarms_by_size: tuple[Alarms, ...]
    told: tuple[Told, ...]
    missed: tuple[Missed, ...]
    classes: dict[str, str]


def score(record: Record, faults: Sequence[Fault]) -> Scorecard:
    """Compare what a run said with the truth.

    A fault is found when, after its start, an incident opened on one of its KPIs (in any
    segment) and their times overlap.
    """
    of_shop: dict[str, list[Fault]] = {}
    for fault in faults:
        of_shop.setdefault(fault.shop, []).append(fault)
    alarms = [one for one in record.incidents.values() if not one.is_covered]
    classes = {one.incident.id: class_of(one, of_shop) for one in alarms}
    delays = [_delay(fault, record) for fault in faults]
    sizes = [size_class(record.events_a_day(fault.shop)) for fault in faults]
    totals = count_classes(classes.values())
    found = sum(delay is not None for delay in delays)
    shop_months = shop_months_of(record)
    return Scorecard(
        shops=len(shop_months),
        shop_months=sum(shop_months.values()),
        incidents=len(classes),
        covered=len(record.incidents) - len(classes),
        hits=totals["hit"],
        beside=totals["beside"],
        false=totals["false"],
        precision=share(totals["hit"], totals["hit"] + totals["false"]),
        faults=len(faults),
        found=found,
        recall=share(found, len(faults)),
        delay_hours=delay_of(delays),
        by_kind=_findings((fault.kind for fault in faults), delays),
        by_size=_findings(sizes, delays),
        by_kind_and_size=_findings(
            (f"{fault.kind}, {size}" for fault, size in zip(faults, sizes, strict=True)), delays
        ),
        alarms_by_kpi=alarms_by_kpi(record, classes, of_shop, shop_months),
        alarms_by_size=alarms_by_size(record, classes, of_shop, shop_months),
        told=tuple(
            Told(fault.kind, fault.shop, fault.start, fault.argument, size, delay / HOUR_MS)
            for fault, size, delay in zip(faults, sizes, delays, strict=True)
            if delay is not None
        ),
        missed=tuple(
            Missed(fault.kind, fault.shop, fault.start, fault.argument, size)
            for fault, size, delay in zip(faults, sizes, delays, strict=True)
            if delay is None
        ),
        classes=classes,
    )


def delay_of(delays: Iterable[float | None]) -> Delay:
    """Median and 95th percentile of the delays that there are, in hours.

    >>> delay_of([3_600_000.0, None, 7_200_000.0])
    Delay(median=1.5, p95=2.0)
    """
    hours = sorted(delay / HOUR_MS for delay in delays if delay is not None)
    if not hours:
        return Delay(None, None)
    return Delay(statistics.median(hours), hours[math.ceil(0.95 * len(hours)) - 1])


def _delay(fault: Fault, record: Record) -> float | None:
    """Milliseconds until the first incident that tells the fault."""
    openings = [
        one.opened_at
        for one in record.incidents.values()
        if one.incident.key.shop == fault.shop
        and (one.incident.key.event_type, one.incident.key.kpi) in fault.kpis
        and one.opened_at >= fault.start
        and overlaps(one.incident.key, began(one.incident), one.incident.last_bucket, fault)
    ]
    return min(openings) - fault.start if openings else None


def _findings(names: Iterable[str], delays: Sequence[float | None]) -> tuple[Finding, ...]:
    groups: dict[str, list[float | None]] = {}
    for name, delay in zip(names, delays, strict=True):
        groups.setdefault(name, []).append(delay)
    return tuple(
        Finding(
            name,
            len(group),
            len(group) - group.count(None),
            share(len(group) - group.count(None), len(group)),
            delay_of(group),
        )
        for name, group in sorted(groups.items(), key=lambda item: order(item[0]))
    )
