"""Reading what a diagnosis needs: the days of a shop at every stage, groups, refusals, records."""

from collections import defaultdict
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, and_, func, select

from streamwatch.adapters.sql.diagnosis_tables import DISTRIBUTIONS, GROUP_STATISTICS
from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.history import verdicts_of
from streamwatch.adapters.sql.record_pairs import pairs_of
from streamwatch.adapters.sql.tables import REJECTS, STAGE_STATISTICS, VERDICTS
from streamwatch.diagnosis.elsewhere import AT, departing_name
from streamwatch.diagnosis.normal import FeatureDay
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
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.settings import Settings
from streamwatch.domain.stageorder import all_stages, topic_stages
from streamwatch.domain.verdicts import Verdict

HISTORY_DAYS = 42
"""Days before the departure that are read."""


def stored_departure(
    engine: Engine,
    key: KpiKey,
    bucket: int,
    settings: Settings,
    since: int | None = None,
    incident: str = "",
) -> Stored:
    """All that is stored of a KPI's departure in the day of a bucket.

    Args:
        engine: the database.
        key: the KPI.
        bucket: start of the day, or of an hour in it, milliseconds.
        settings: name the stages.
        since: the first day that is not usual any more; the bucket itself if not given.
        incident: its id; what the flight recorder wrote down for it stands in where no tap does.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    with reading(engine) as connection:
        start = _day_of(connection, key, bucket)
        first = min(start, start if since is None else since)
        days = _days(connection, key, first - HISTORY_DAYS * DAY_MS, start, settings)
        groups, changes = _groups(connection, key, start, start)
        before, _ = _groups(connection, key, first - HISTORY_DAYS * DAY_MS, first - 1)
        pairs, pairs_from = pairs_of(connection, key, (first, start), settings, incident)
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
            pairs=pairs,
            pairs_from=pairs_from,
            since=first,
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
    connection: Connection, key: KpiKey, since: int, until: int, settings: Settings
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
    order = all_stages(settings, key.event_type)
    elsewhere = topic_stages(settings, key.event_type)
    places = {stage: place for place, stage in enumerate(order)}
    result: dict[int, dict[str, FeatureDay]] = defaultdict(dict)
    for (bucket, feature), found in stages.items():
        names = sorted(found, key=lambda stage: (places.get(stage, len(places)), stage))
        result[bucket][feature] = FeatureDay(
            stages={name: found[name][0] for name in names if name not in elsewhere},
            changes={name: found[name][1] for name in names if found[name][1].changed},
            sketch=bins.get((bucket, feature), {}),
            beside={name: found[name][0] for name in names if name in elsewhere},
            beside_sketches={
                name: bins.get((bucket, f"{feature}{AT}{name}"), {})
                for name in names
                if name in elsewhere
            },
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
    query = select(table.bucket, table.kpi, table.segment).where(
        _of_shop(table, key, since, until), table.state == "unusual"
    )
    result: dict[int, set[str]] = defaultdict(set)
    for bucket, kpi, segment in connection.execute(query):
        unusual = msgspec.structs.replace(key, kpi=kpi, segment=segment)
        if name := departing_name(unusual):
            result[bucket].add(name)
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
    found = verdicts_of(engine, [of_day], start, start, of_few=True)[of_day]
    return found[-1] if found else None
