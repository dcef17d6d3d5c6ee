"""Reading what a diagnosis needs: the days of a shop at every stage, groups, refusals, records."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, and_, func, select

from streamwatch.adapters.sql.diagnosis_tables import DISTRIBUTIONS, GROUP_STATISTICS
from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.history import verdicts_of
from streamwatch.adapters.sql.tables import REJECTS, STAGE_STATISTICS, VERDICTS
from streamwatch.adapters.sql.tap_tables import TAP_TABLES
from streamwatch.diagnosis.normal import FeatureDay
from streamwatch.diagnosis.paired import Pair
from streamwatch.diagnosis.report import Stored
from streamwatch.domain.cells import (
    DAY_MS,
    Group,
    GroupChanges,
    Groups,
    Moments,
    Transition,
    merge_groups,
)
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import Verdict
from streamwatch.stages.declared import IN_CM, IN_KG

HISTORY_DAYS = 42
"""Days before the departure that are read."""

MOST_PAIRS = 20_000
"""Records of neighbouring stages that are read."""

AS_SENT = ("decode", "validate")
"""Stages after which numbers are in the client's units."""

FIELDS = ("app_version", "category", "gender", "recommended_size", "size", "height_unit",
          "weight_unit", "currency", "fit_preference", "reason")  # fmt: skip
"""The fields by which affected records are told from others; none names a person."""


def stored_departure(
    engine: Engine, key: KpiKey, bucket: int, order: Sequence[str], since: int | None = None
) -> Stored:
    """All that is stored of a KPI's departure in the day of a bucket.

    Args:
        engine: the database.
        key: the KPI.
        bucket: start of the day, or of an hour in it, milliseconds.
        order: the stages in their order.
        since: the first day that is not usual any more; the bucket itself if not given.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    with reading(engine) as connection:
        start = _day_of(connection, key, bucket)
        first = min(start, start if since is None else since)
        days = _days(connection, key, first - HISTORY_DAYS * DAY_MS, start, order)
        groups, changes = _groups(connection, key, start, start)
        before, _ = _groups(connection, key, first - HISTORY_DAYS * DAY_MS, first - 1)
        return Stored(
            key=key,
            bucket=start,
            before={day: features for day, features in sorted(days.items()) if day < first},
            departing=_departing(connection, key, first - HISTORY_DAYS * DAY_MS, first),
            days=days.get(start, {}),
            groups_before=before,
            groups=groups,
            changes=changes,
            rejects=_rejects(connection, key, start),
            verdict=_verdict(engine, key, start),
            pairs=_pairs(connection, key, start, order),
        )


def _day_of(connection: Connection, key: KpiKey, moment: int) -> int:
    """Start of the shop's day that a moment lies in: the newest closed one that begins before."""
    table = VERDICTS.c
    query = select(func.max(table.bucket)).where(
        table.shop == key.shop,
        table.event_type == key.event_type,
        table.kpi == "volume",
        table.segment == "all",
        table.span == "day",
        table.bucket <= moment,
    )
    found = connection.execute(query).scalar()
    return moment if found is None else int(found)


def _of_shop(table: Any, key: KpiKey, since: int, until: int) -> Any:
    return and_(
        table.shop == key.shop,
        table.event_type == key.event_type,
        table.span == "day",
        table.bucket.between(since, until),
    )


def _days(
    connection: Connection, key: KpiKey, since: int, until: int, order: Sequence[str]
) -> dict[int, dict[str, FeatureDay]]:
    table, sketches = STAGE_STATISTICS.c, DISTRIBUTIONS.c
    stages: dict[tuple[int, str], dict[str, tuple[Moments, Transition]]] = defaultdict(dict)
    for row in connection.execute(
        select(STAGE_STATISTICS).where(_of_shop(table, key, since, until))
    ):
        squares = (row.variance or 0.0) * max(row.n - 1, 0)
        moments = Moments(row.n, row.mean or 0.0, squares, row.missing)
        change = Transition(row.changed, (row.mean_change or 0.0) * row.changed)
        stages[row.bucket, row.feature][row.stage] = (moments, change)
    bins = {
        (row.bucket, row.feature): {int(place): int(n) for place, n in row.bins.items()}
        for row in connection.execute(
            select(DISTRIBUTIONS).where(_of_shop(sketches, key, since, until))
        )
    }
    places = {stage: place for place, stage in enumerate(order)}
    result: dict[int, dict[str, FeatureDay]] = defaultdict(dict)
    for (bucket, feature), found in stages.items():
        names = sorted(found, key=lambda stage: (places.get(stage, len(places)), stage))
        result[bucket][feature] = FeatureDay(
            stages={name: found[name][0] for name in names},
            changes={name: found[name][1] for name in names if found[name][1].changed},
            sketch=bins.get((bucket, feature), {}),
        )
    return result


def _groups(
    connection: Connection, key: KpiKey, since: int, until: int
) -> tuple[Groups, GroupChanges]:
    table = GROUP_STATISTICS.c
    groups: Groups = {}
    changes: GroupChanges = {}
    for row in connection.execute(
        select(GROUP_STATISTICS).where(_of_shop(table, key, since, until))
    ):
        one = {row.labels: {row.value: {row.feature: Group(row.n, row.mean or 0.0)}}}
        merge_groups(groups, one, Group)
        if row.changed:
            change = Transition(row.changed, (row.mean_change or 0.0) * row.changed)
            merge_groups(changes, {row.labels: {row.value: {row.feature: change}}}, Transition)
    return groups, changes


def _departing(connection: Connection, key: KpiKey, since: int, until: int) -> dict[int, set[str]]:
    table = VERDICTS.c
    query = select(table.bucket, table.kpi).where(
        _of_shop(table, key, since, until), table.segment == "all", table.state == "unusual"
    )
    result: dict[int, set[str]] = defaultdict(set)
    for bucket, kpi in connection.execute(query):
        result[bucket].add(kpi)
    return result


def _rejects(connection: Connection, key: KpiKey, start: int) -> dict[str, int]:
    table = REJECTS.c
    when = func.coalesce(table.occurred_at, table.arrived_at, type_=table.arrived_at.type)
    query = (
        select(table.stage, table.reason, table.field, func.count())
        .where(
            table.shop == key.shop,
            table.event_type == key.event_type,
            when >= start,
            when < start + DAY_MS,
        )
        .group_by(table.stage, table.reason, table.field)
    )
    return {f"{row[0]}/{row[1]}/{row[2]}": int(row[3]) for row in connection.execute(query)}


def _verdict(engine: Engine, key: KpiKey, start: int) -> Verdict | None:
    """The verdict on the day; also for a KPI by the hour, since stages are kept by the day."""
    of_day = msgspec.structs.replace(key, span="day")
    found = verdicts_of(engine, [of_day], start, start)[of_day]
    return found[-1] if found else None


def _pairs(
    connection: Connection, key: KpiKey, start: int, order: Sequence[str]
) -> dict[tuple[str, str], list[Pair]]:
    """Records of the day at each two stages that follow each other among those with taps."""
    kind = EVENT_TYPES[key.event_type]
    feature = feature_of(key)[0]
    if feature not in kind.numbers:
        return {}
    present = [
        stage
        for stage in order
        if (key.event_type, stage) in TAP_TABLES
        and connection.execute(_rows(key, stage, start).limit(1)).first() is not None
    ]
    result = {}
    neighbours = list(pairwise(present)) or [(stage, stage) for stage in present]
    for before, after in neighbours:
        rows = connection.execute(_joined(key, before, after, feature, start)).all()
        result[before, after] = [_pair(row, feature, (before, after)) for row in rows]
    return result


def _rows(key: KpiKey, stage: str, start: int) -> Select[Any]:
    table = TAP_TABLES[key.event_type, stage].c
    when = func.coalesce(table.occurred_at, table.arrived_at, type_=table.arrived_at.type)
    return select(table.event_id).where(
        table.shop == key.shop, when >= start, when < start + DAY_MS
    )


def _joined(key: KpiKey, before: str, after: str, feature: str, start: int) -> Select[Any]:
    first = TAP_TABLES[key.event_type, before]
    second = TAP_TABLES[key.event_type, after].alias("behind")
    same = and_(
        *(
            first.c[name] == second.c[name]
            for name in ("topic", "partition", "epoch", "record_offset")
        )
    )
    when = func.coalesce(
        second.c.occurred_at, first.c.occurred_at, first.c.arrived_at,
        type_=first.c.occurred_at.type,
    )  # fmt: skip
    fields = [
        func.coalesce(second.c[name], first.c[name]).label(name)
        for name in FIELDS
        if name in second.c
    ]
    units = [first.c[name].label(f"sent_{name}") for name in FIELDS if name.endswith("_unit")
             and name in first.c]  # fmt: skip
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
        .select_from(first.join(second, same, isouter=True))
        .where(first.c.shop == key.shop, when >= start, when < start + DAY_MS)
        .order_by(when, first.c.record_offset)
        .limit(MOST_PAIRS)
    )
    part = feature_of(key)[1]
    return query.where(second.c.currency == part) if part and "currency" in second.c else query


def _pair(row: Any, feature: str, stages: tuple[str, str]) -> Pair:
    values = row._mapping  # noqa: SLF001  # SQLAlchemy's public name for a row by column
    fields = {
        name: values[f"sent_{name}"] if f"sent_{name}" in values else values[name]
        for name in FIELDS
        if name in values
    }
    unit = fields.get(f"{feature}_unit")
    return Pair(
        topic=row.topic,
        partition=row.partition,
        offset=row.record_offset,
        event_id=row.event_id,
        occurred_at=row.occurred_at,
        before=_canonical(row.before_value, unit, stages[0]),
        after=_canonical(row.after_value, unit, stages[1]),
        fields=fields,
    )


def _canonical(value: float | None, unit: str | None, stage: str) -> float | None:
    """A value in cm or kg as the record declares it; after `normalise` it is that anyway."""
    if value is None or unit is None or stage not in AS_SENT:
        return value
    name = unit.strip().lower().rstrip(".")
    factor = IN_CM.get(name) or IN_KG.get(name)
    return None if factor is None else value * factor


def feature_of(key: KpiKey) -> tuple[str, str]:
    """The field that a KPI is about, and its part: ``price`` and ``EUR``."""
    feature, _, part = key.kpi.partition(".")[2].partition(".")
    return feature, part
