"""The queries that show a diagnosis, ready to paste, in the database's own dialect."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine, Select, Table, and_, case, func, select

from streamwatch.adapters.sql.diagnosis_tables import GROUP_STATISTICS
from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.incidents import WEEK_MS
from streamwatch.adapters.sql.inspection import RECORDED_ROWS
from streamwatch.adapters.sql.record_pairs import EVENT, PLACE, feature_of
from streamwatch.adapters.sql.tables import REJECTS, STAGE_STATISTICS
from streamwatch.adapters.sql.tap_schema import readable_tap_tables
from streamwatch.diagnosis.report import Report
from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.settings import Settings
from streamwatch.domain.stageorder import all_stages, topic_stages

MOST_SHOWN = 50
"""Records that a query shows."""


class Query(msgspec.Struct, frozen=True):
    """A query, and what it shows."""

    shows: str
    sql: str


def queries(engine: Engine, report: Report, settings: Settings, incident: str = "") -> list[Query]:
    """What an analyst would ask next; each runs as it stands.

    Args:
        engine: the database.
        report: the diagnosis.
        settings: name the stages.
        incident: the id of the incident that was asked about, if there is one.

    Raises:
        DatabaseError: the database does not answer.
    """
    found = []
    if report.feature:
        order = all_stages(settings, report.key.event_type)
        shows = "the shop's days at every stage"
        found.append(Query(shows, _text(engine, _stages(report, order))))
    if report.key.kpi.startswith("mean."):
        for labels in ("app_version", "gender,category"):
            shows = f"the day and the week before by {labels.replace(',', ' and ')}"
            found.append(Query(shows, _text(engine, _groups(report, labels))))
    if report.pairs and report.pairs_from == "taps":
        shows = "the same records before and after"
        with reading(engine) as connection:
            tables = readable_tap_tables(connection, settings, report.key.event_type)
        elsewhere = topic_stages(settings, report.key.event_type)
        found.append(Query(shows, _text(engine, _records(report, tables, elsewhere))))
    if report.pairs and report.pairs_from == "recorder":
        shows = "what the flight recorder held, at every stage"
        found.append(Query(shows, _text(engine, _recorded(report, incident))))
    if report.key.kpi == "volume" or report.key.kpi.startswith("missing."):
        found.append(Query("what was refused, and why", _text(engine, _rejects(report))))
    return found


def _text(engine: Engine, query: Select[Any]) -> str:
    text = str(query.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))
    # For a driver that fills in parameters a percent sign is doubled; for people it is one.
    if engine.dialect.paramstyle in ("format", "pyformat"):
        text = text.replace("%%", "%")
    return f"{text};"


def _stages(report: Report, order: Sequence[str]) -> Select[Any]:
    stage = STAGE_STATISTICS.alias("s").c
    place = case({name: place for place, name in enumerate(order)}, value=stage.stage)
    return (
        select(
            stage.bucket, stage.stage, stage.n, stage.mean, stage.missing, stage.changed,
            stage.mean_change,
        )
        .where(
            stage.shop == report.key.shop,
            stage.event_type == report.key.event_type,
            stage.feature == report.feature,
            stage.bucket.between(report.bucket - WEEK_MS, report.bucket + DAY_MS),
        )
        .order_by(stage.bucket, place)
    )  # fmt: skip


def _groups(report: Report, labels: str) -> Select[Any]:
    group = GROUP_STATISTICS.alias("g").c
    return (
        select(group.bucket, group.value, group.n, group.mean, group.changed, group.mean_change)
        .where(
            group.shop == report.key.shop,
            group.event_type == report.key.event_type,
            group.labels == labels,
            group.feature == report.feature,
            group.bucket.between(report.bucket - WEEK_MS, report.bucket),
        )
        .order_by(group.value, group.bucket)
    )


def _records(
    report: Report, tables: Mapping[str, Table], elsewhere: Collection[str]
) -> Select[Any]:
    """The records at the two stages between which they changed, else the first and last."""
    origin = report.found.origin.name
    chosen = [one for one in report.pairs if one.after == origin]
    first, last = (chosen or report.pairs)[0].before, (chosen or report.pairs)[-1].after
    before, after = tables[first].alias("b"), tables[last].alias("a")
    feature = feature_of(report.key)[0]
    same = [before.c[name] == after.c[name] for name in (EVENT if last in elsewhere else PLACE)]
    unit = [before.c[f"{feature}_unit"]] if f"{feature}_unit" in before.c else []
    return (
        select(
            before.c.topic,
            before.c.partition,
            before.c.record_offset,
            before.c.event_id,
            after.c.occurred_at,
            before.c.app_version,
            *unit,
            before.c[feature].label(_column(feature, first)),
            after.c[feature].label(_column(feature, last)),
        )
        .select_from(before.join(after, and_(*same)))
        .where(
            before.c.shop == report.key.shop,
            after.c.occurred_at >= report.records_since,
            after.c.occurred_at < report.bucket + DAY_MS,
        )
        .order_by(after.c.occurred_at, before.c.record_offset)
        .limit(MOST_SHOWN)
    )


def _recorded(report: Report, incident: str) -> Select[Any]:
    """What the flight recorder wrote down of the records, at every stage."""
    row = RECORDED_ROWS.alias("r").c
    feature = feature_of(report.key)[0]
    when = func.coalesce(row.occurred_at, row.arrived_at, type_=row.arrived_at.type)
    return (
        select(
            row.topic,
            row.partition,
            row.record_offset,
            row.event_id,
            row.stage,
            row.fields["app_version"].as_string().label("app_version"),
            row.fields[feature].as_float().label(feature),
        )
        .where(
            row.incident_id == incident,
            row.event_type == report.key.event_type,
            when >= report.records_since,
            when < report.bucket + DAY_MS,
        )
        .order_by(row.topic, row.partition, row.record_offset, row.arrived_at)
        .limit(MOST_SHOWN)
    )


def _column(feature: str, stage: str) -> str:
    return f"{feature}_{stage}".replace("-", "_")


def _rejects(report: Report) -> Select[Any]:
    reject = REJECTS.alias("r").c
    when = func.coalesce(reject.occurred_at, reject.arrived_at, type_=reject.arrived_at.type)
    return (
        select(reject.stage, reject.reason, reject.field, func.count().label("records"))
        .where(
            reject.shop == report.key.shop,
            reject.event_type == report.key.event_type,
            when >= report.bucket,
            when < report.bucket + DAY_MS,
        )
        .group_by(reject.stage, reject.reason, reject.field)
        .order_by(func.count().desc())
    )
