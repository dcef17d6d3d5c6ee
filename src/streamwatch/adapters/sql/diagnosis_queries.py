"""The queries that show a diagnosis, ready to paste, in the database's own dialect."""

from typing import Any

import msgspec
from sqlalchemy import Engine, Select, and_, func, select

from streamwatch.adapters.sql.diagnosis import feature_of
from streamwatch.adapters.sql.diagnosis_tables import GROUP_STATISTICS
from streamwatch.adapters.sql.incidents import WEEK_MS
from streamwatch.adapters.sql.tables import REJECTS, STAGE_STATISTICS
from streamwatch.adapters.sql.tap_tables import TAP_TABLES
from streamwatch.diagnosis.report import Report
from streamwatch.domain.cells import DAY_MS


class Query(msgspec.Struct, frozen=True):
    """A query, and what it shows."""

    shows: str
    sql: str


def queries(engine: Engine, report: Report) -> list[Query]:
    """What an analyst would ask next; each runs as it stands."""
    found = []
    if report.feature:
        found.append(Query("the shop's days at every stage", _text(engine, _stages(report))))
    if report.key.kpi.startswith("mean."):
        for labels in ("app_version", "gender,category"):
            shows = f"the day and the week before by {labels.replace(',', ' and ')}"
            found.append(Query(shows, _text(engine, _groups(report, labels))))
    if report.pairs:
        shows = f"the same records after {report.pairs[0].before} and {report.pairs[-1].after}"
        found.append(Query(shows, _text(engine, _records(report))))
    if report.key.kpi == "volume" or report.key.kpi.startswith("missing."):
        found.append(Query("what was refused, and why", _text(engine, _rejects(report))))
    return found


def _text(engine: Engine, query: Select[Any]) -> str:
    compiled = query.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
    return f"{compiled};"


def _stages(report: Report) -> Select[Any]:
    stage = STAGE_STATISTICS.alias("s").c
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
        .order_by(stage.bucket, stage.n.desc(), stage.stage)
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


def _records(report: Report) -> Select[Any]:
    """The day's records at the two stages between which they changed, else the first and last."""
    origin = report.found.origin.name
    chosen = [one for one in report.pairs if one.after == origin]
    first, last = (chosen or report.pairs)[0].before, (chosen or report.pairs)[-1].after
    before = TAP_TABLES[report.key.event_type, first].alias("b")
    after = TAP_TABLES[report.key.event_type, last].alias("a")
    feature = feature_of(report.key)[0]
    same = [
        before.c[name] == after.c[name] for name in ("topic", "partition", "epoch", "record_offset")
    ]
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
            before.c[feature].label(f"{feature}_{first}"),
            after.c[feature].label(f"{feature}_{last}"),
        )
        .select_from(before.join(after, and_(*same)))
        .where(
            before.c.shop == report.key.shop,
            after.c.occurred_at >= report.bucket,
            after.c.occurred_at < report.bucket + DAY_MS,
        )
        .order_by(after.c.occurred_at, before.c.record_offset)
        .limit(50)
    )


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
