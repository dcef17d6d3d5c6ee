"""The same records after neighbouring stages, to see what became of each.

From tap rows; where taps hold nothing of the day, from what the flight recorder wrote down when
the incident opened.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, func, select

from streamwatch.adapters.sql.inspection import RECORDED_ROWS
from streamwatch.adapters.sql.tap_schema import readable_tap_tables
from streamwatch.diagnosis.paired import Pair
from streamwatch.diagnosis.report import PairsFrom
from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.settings import Settings
from streamwatch.domain.stageorder import (
    all_stages,
    before,
    declaring_stages,
    topic_stages,
)
from streamwatch.stages.declared import IN_CM, IN_KG

MOST_PAIRS = 20_000
"""Records of neighbouring stages that are read."""

FIELDS = ("app_version", "category", "gender", "recommended_size", "size", "height_unit",
          "weight_unit", "currency", "fit_preference", "reason")  # fmt: skip
"""The fields by which affected records are told from others; none names a person."""

PLACE = ("topic", "partition", "epoch", "record_offset")
"""The columns by which a record is the same at all stages of ours."""

EVENT = ("shop", "event_id")
"""The columns by which it is the same in another service."""

Pairs = dict[tuple[str, str], list[Pair]]
"""Two stages → the records that were seen after the first of them."""


def pairs_of(
    connection: Connection,
    key: KpiKey,
    days: tuple[int, int],
    settings: Settings,
    incident: str = "",
) -> tuple[Pairs, PairsFrom]:
    """Records of the days from the first to the last, at each two stages that follow each other.

    Only stages at which records are kept count as neighbours. Where a tap stands at but one,
    its records stand with themselves.
    """
    if feature_of(key)[0] not in EVENT_TYPES[key.event_type].numbers:
        return {}, ""
    tapped = _tapped(connection, key, days, settings)
    if tapped:
        return tapped, "taps"
    recorded = _recorded(connection, key, days, settings, incident)
    return recorded, "recorder" if recorded else ""


def _tapped(
    connection: Connection, key: KpiKey, days: tuple[int, int], settings: Settings
) -> Pairs:
    tables = readable_tap_tables(connection, settings, key.event_type)
    elsewhere = topic_stages(settings, key.event_type)
    present = [
        stage
        for stage, table in tables.items()
        if connection.execute(_any_row(table, key, days)).first() is not None
    ]
    declaring = declaring_stages(settings, key.event_type)
    result: Pairs = {}
    for first, then in _neighbours(present, elsewhere, settings, key.event_type):
        by = EVENT if then in elsewhere else PLACE
        query = _joined(key, tables[first], tables[then], by, days)
        rows = connection.execute(query).mappings()
        as_sent = first in declaring, then in declaring
        result[first, then] = [_pair(dict(row), feature_of(key)[0], as_sent) for row in rows]
    return result


def _neighbours(
    present: list[str], elsewhere: Iterable[str], settings: Settings, event_type: str
) -> list[tuple[str, str]]:
    """The stages of ours one after the other, and each of another service behind its own."""
    journey = [stage for stage in present if stage not in elsewhere]
    found = list(pairwise(journey)) or [(stage, stage) for stage in journey]
    for stage in present:
        if stage in elsewhere:
            follows = before(settings, event_type, stage)
            if follows in journey:
                found.append((follows, stage))
    return found


def _any_row(table: Table, key: KpiKey, days: tuple[int, int]) -> Select[Any]:
    column = table.c
    when = func.coalesce(column.occurred_at, column.arrived_at, type_=column.arrived_at.type)
    return (
        select(column.event_id)
        .where(column.shop == key.shop, when >= days[0], when < days[1] + DAY_MS)
        .limit(1)
    )


def _joined(
    key: KpiKey, first: Table, then: Table, by: tuple[str, ...], days: tuple[int, int]
) -> Select[Any]:
    feature, part = feature_of(key)
    second = then.alias("behind")
    when = func.coalesce(
        second.c.occurred_at, first.c.occurred_at, first.c.arrived_at,
        type_=first.c.occurred_at.type,
    )  # fmt: skip
    fields = [
        func.coalesce(second.c[name], first.c[name]).label(name)
        for name in FIELDS
        if name in second.c and name in first.c
    ]
    units = [
        first.c[name].label(f"sent_{name}")
        for name in FIELDS
        if name.endswith("_unit") and name in first.c
    ]
    query = (
        select(
            first.c.topic,
            first.c.partition,
            first.c.record_offset,
            first.c.event_id,
            when.label("occurred_at"),
            first.c[feature].label("before_value"),
            second.c[feature].label("after_value"),
            *fields,
            *units,
        )
        .select_from(
            first.join(second, and_(*(first.c[n] == second.c[n] for n in by)), isouter=True)
        )
        .where(first.c.shop == key.shop, when >= days[0], when < days[1] + DAY_MS)
        .order_by(when, first.c.record_offset)
        .limit(MOST_PAIRS)
    )
    return query.where(second.c.currency == part) if part and "currency" in second.c else query


def _recorded(
    connection: Connection,
    key: KpiKey,
    days: tuple[int, int],
    settings: Settings,
    incident: str,
) -> Pairs:
    """The same of what the flight recorder wrote down for an incident."""
    feature, part = feature_of(key)
    row = RECORDED_ROWS.c
    when = func.coalesce(row.occurred_at, row.arrived_at, type_=row.arrived_at.type)
    query = (
        select(RECORDED_ROWS, when.label("moment"))
        .where(
            row.incident_id == incident,
            row.event_type == key.event_type,
            row.shop == key.shop,
            when >= days[0],
            when < days[1] + DAY_MS,
        )
        .order_by(when, row.record_offset)
        .limit(MOST_PAIRS * 4)
    )
    records: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(dict)
    for found in connection.execute(query).mappings():
        records[tuple(found[name] for name in PLACE)][found["stage"]] = found
    seen = {stage for stages in records.values() for stage in stages}
    order = [stage for stage in all_stages(settings, key.event_type) if stage in seen]
    declaring = declaring_stages(settings, key.event_type)
    return {
        (first, then): [
            _pair(
                _flat(stages[first], stages.get(then), feature),
                feature,
                (first in declaring, then in declaring),
            )
            for stages in records.values()
            if first in stages and (not part or stages[first]["fields"].get("currency") == part)
        ]
        for first, then in pairwise(order)
    }


def _flat(first: Mapping[str, Any], then: Mapping[str, Any] | None, feature: str) -> dict[str, Any]:
    """A recorded record at two stages, with the columns of a joined tap row."""
    sent, behind = first["fields"], then["fields"] if then else {}
    units = {f"sent_{name}": sent.get(name) for name in FIELDS if name.endswith("_unit")}
    return {
        **{name: first[name] for name in ("topic", "partition", "record_offset", "event_id")},
        "occurred_at": first["occurred_at"] or first["moment"],
        "before_value": _number(sent.get(feature)),
        "after_value": _number(behind.get(feature)),
        **{name: behind.get(name, sent[name]) for name in FIELDS if name in sent},
        **{name: unit for name, unit in units.items() if name.removeprefix("sent_") in sent},
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _pair(row: Mapping[str, Any], feature: str, as_sent: tuple[bool, bool]) -> Pair:
    """One record; ``as_sent`` says of both stages whether numbers are in the record's own unit."""
    fields = {name: row.get(f"sent_{name}", row[name]) for name in FIELDS if name in row}
    unit = f"{feature}_unit"
    before, after = row["before_value"], row["after_value"]
    return Pair(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["record_offset"],
        event_id=row["event_id"],
        occurred_at=row["occurred_at"],
        before=_canonical(before, fields.get(unit)) if as_sent[0] else before,
        after=_canonical(after, row.get(unit)) if as_sent[1] else after,
        fields=fields,
    )


def _canonical(value: float | None, unit: str | None) -> float | None:
    """A value in cm or kg as the record declares it."""
    if value is None or unit is None:
        return value
    name = unit.strip().lower().rstrip(".")
    factor = IN_CM.get(name) or IN_KG.get(name)
    return None if factor is None else value * factor


def feature_of(key: KpiKey) -> tuple[str, str]:
    """The field that a KPI is about, and its part: ``price`` and ``EUR``.

    >>> feature_of(KpiKey("shop-001", "purchase", "mean.price.EUR"))
    ('price', 'EUR')
    """
    feature, _, part = key.kpi.partition(".")[2].partition(".")
    return feature, part
