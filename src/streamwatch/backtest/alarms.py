"""What the incidents of a run were about: hits, alarms beside a fault, false alarms.

What is part of another incident alarms nobody and is counted with neither.
"""

from collections.abc import Iterable, Sequence

import msgspec

from streamwatch.backtest.labels import Fault
from streamwatch.backtest.record import MONTH_MS, Opened, Record, span_ms
from streamwatch.backtest.sizes import order, share, size_class
from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.incidents import FLEET, Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.incidents.grouping import STILL_MANY

OF_FLEET = "many shops at once"
SILENCE = "silence"
"""A KPI that has a verdict only when it alarms."""


class Alarms(msgspec.Struct, frozen=True):
    """What one KPI, or one size class, said.

    Attributes:
        hits: incidents on a KPI that a fault moved then.
        beside: incidents on other KPIs of a shop during a fault.
        false: incidents without a fault.
        months: how long it was judged, in shop-months (of each KPI for a KPI).
        false_per_month: ``false / months``.
        unusual_per_month: unusual verdicts outside faults, likewise.
    """

    name: str
    hits: int
    beside: int
    false: int
    months: float
    false_per_month: float | None
    unusual_per_month: float | None


def kpi_group(key: KpiKey) -> str:
    """The name under which KPIs of all shops and segments are counted together.

    >>> kpi_group(KpiKey("a", "purchase", "mean.price.EUR", "gender=female"))
    'purchase mean.price by day'
    """
    kpi = ".".join(key.kpi.split(".")[:2])
    return f"{key.event_type} {kpi} by {key.span}"


def overlaps(key: KpiKey, first: int, last: int, fault: Fault) -> bool:
    """Whether buckets from the first to the last touch a fault's time."""
    return first < fault.end and last + span_ms(key) > fault.start


def began(incident: Incident) -> int:
    """Start of its first bucket; of a silence, which is told hours after, the newest record.

    Of a shop that sends files both lie after the events that lack, by as long as files take.
    """
    if incident.key.kpi == SILENCE:
        return incident.since - round(incident.value * HOUR_MS)
    return incident.since


def class_of(one: Opened, of_shop: dict[str, list[Fault]]) -> str:
    """``hit``, ``beside`` or ``false``, see `Alarms`."""
    incident = one.incident
    key = incident.key
    if key.shop == FLEET:
        return "hit" if _shops_at_fault(incident, of_shop) >= STILL_MANY else "false"
    during = [
        fault
        for fault in of_shop.get(key.shop, ())
        if overlaps(key, began(incident), incident.last_bucket, fault)
    ]
    if any((key.event_type, key.kpi) in fault.kpis for fault in during):
        return "hit"
    return "beside" if during else "false"


def _shops_at_fault(incident: Incident, of_shop: dict[str, list[Fault]]) -> int:
    """Shops that have a fault on an incident's KPI in its time."""
    key = incident.key
    return sum(
        any(
            (key.event_type, key.kpi) in fault.kpis
            and overlaps(key, began(incident), incident.last_bucket, fault)
            for fault in faults
        )
        for faults in of_shop.values()
    )


def alarms_by_kpi(
    record: Record,
    classes: dict[str, str],
    of_shop: dict[str, list[Fault]],
    shop_months: dict[str, float],
) -> tuple[Alarms, ...]:
    """What each KPI said, all shops and segments together."""
    months: dict[str, float] = {}
    unusual: dict[str, int] = {}
    counts: dict[str, list[str]] = {}
    for key in record.verdicts:
        group = kpi_group(key)
        if key.kpi == SILENCE:
            months[group] = _watched_months(record, key.event_type, shop_months)
        else:
            months[group] = months.get(group, 0.0) + record.months(key)
        unusual[group] = unusual.get(group, 0) + _unusual_outside(record, key, of_shop)
    for name, found in classes.items():
        counts.setdefault(kpi_group(record.incidents[name].incident.key), []).append(found)
    groups = sorted(months.keys() | counts.keys())
    return tuple(
        _alarms(group, counts.get(group, []), months.get(group, 0.0), unusual.get(group, 0))
        for group in groups
    )


def alarms_by_size(
    record: Record,
    classes: dict[str, str],
    of_shop: dict[str, list[Fault]],
    shop_months: dict[str, float],
) -> tuple[Alarms, ...]:
    """What the shops of each size said, over shop-months."""
    size_of = {shop: size_class(record.events_a_day(shop)) for shop in shop_months}
    months: dict[str, float] = {}
    unusual: dict[str, int] = {}
    counts: dict[str, list[str]] = {}
    for shop, length in shop_months.items():
        months[size_of[shop]] = months.get(size_of[shop], 0.0) + length
    for key in record.verdicts:
        size = size_of.get(key.shop, "unknown")
        unusual[size] = unusual.get(size, 0) + _unusual_outside(record, key, of_shop)
    for name, found in classes.items():
        shop = record.incidents[name].incident.key.shop
        size = OF_FLEET if shop == FLEET else size_of.get(shop, "unknown")
        counts.setdefault(size, []).append(found)
    return tuple(
        _alarms(size, counts.get(size, []), months.get(size, 0.0), unusual.get(size, 0))
        for size in sorted(months.keys() | counts.keys(), key=order)
    )


def _watched_months(record: Record, event_type: str, shop_months: dict[str, float]) -> float:
    """How long all shops that send an event type were judged."""
    sending = [s for s, known in record.volumes.items() if any(k == event_type for k, _ in known)]
    return sum(shop_months.get(shop, 0.0) for shop in sending)


def _alarms(name: str, found: Sequence[str], months: float, unusual: int) -> Alarms:
    counts = count_classes(found)
    return Alarms(
        name=name,
        hits=counts["hit"],
        beside=counts["beside"],
        false=counts["false"],
        months=months,
        false_per_month=share(counts["false"], months),
        unusual_per_month=share(unusual, months),
    )


def _unusual_outside(record: Record, key: KpiKey, of_shop: dict[str, list[Fault]]) -> int:
    faults = of_shop.get(key.shop, [])
    return sum(
        not any(overlaps(key, bucket, bucket, fault) for fault in faults)
        for bucket, unusual in record.verdicts[key].items()
        if unusual
    )


def shop_months_of(record: Record) -> dict[str, float]:
    """How long each shop was judged: from its first judged bucket to its last."""
    spans: dict[str, tuple[int, int]] = {}
    for key, buckets in record.verdicts.items():
        if buckets:
            first, last = spans.get(key.shop, (min(buckets), 0))
            end = max(buckets) + span_ms(key)
            spans[key.shop] = (min(first, *buckets), max(last, end))
    return {shop: (last - first) / MONTH_MS for shop, (first, last) in spans.items()}


def count_classes(found: Iterable[str]) -> dict[str, int]:
    """How many incidents are of each class."""
    counts = {"hit": 0, "beside": 0, "false": 0}
    for one in found:
        counts[one] += 1
    return counts
