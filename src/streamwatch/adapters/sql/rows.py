"""Rows for people as the drivers take them: plain tuples in the order of their table's columns.

Times are text, see `timestamps`; text and numbers are made fit, see `fit`.
"""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Table

from streamwatch.adapters.sql.bulk import TableColumns, Values
from streamwatch.adapters.sql.diagnosis_tables import DISTRIBUTIONS, GROUP_STATISTICS
from streamwatch.adapters.sql.fit import finite, fit_optional_text, fit_text
from streamwatch.adapters.sql.tables import INCIDENTS, REJECTS, STAGE_STATISTICS, VERDICTS
from streamwatch.adapters.sql.tap_tables import TAP_TABLES
from streamwatch.adapters.sql.tap_values import tap_columns
from streamwatch.adapters.sql.timestamps import arrival_text, timestamp_text
from streamwatch.domain.rows import (
    DistributionRow,
    GroupRow,
    IncidentRow,
    RejectRow,
    Row,
    StageRow,
    TapRow,
    TapRows,
    VerdictRow,
)
from streamwatch.errors import DatabaseError

TapTables = Mapping[tuple[str, str], Table]
"""(event type, stage) → table."""


def rows_by_table(
    rows: Iterable[Row], tap_tables: TapTables = TAP_TABLES
) -> tuple[list[TableColumns], list[tuple[Table, list[Values]]]]:
    """Rows grouped by table: those of taps as columns, all others as tuples.

    Args:
        rows: of any kind.
        tap_tables: those of the user's own stages among them.

    Raises:
        DatabaseError: a tap row's event type and stage have no table.
    """
    taps: dict[tuple[str, str], list[TapRows]] = {}
    rejects: list[Values] = []
    stages: list[Values] = []
    groups: list[Values] = []
    distributions: list[Values] = []
    verdicts: list[Values] = []
    incidents: list[Values] = []
    for row in rows:
        match row:
            case TapRows():
                taps.setdefault((row.event_type, row.stage), []).append(row)
            case TapRow():
                taps.setdefault((row.event_type, row.stage), []).append(row.alone())
            case RejectRow():
                rejects.append(_reject(row))
            case StageRow():
                stages.append(_stage(row))
            case GroupRow():
                groups.append(_group(row))
            case DistributionRow():
                distributions.append(_distribution(row))
            case VerdictRow():
                verdicts.append(_verdict(row))
            case IncidentRow():
                incidents.append(_incident(row))
    columns = [
        of_table
        for kind in sorted(taps)
        for of_table in tap_columns(_tap_table(tap_tables, kind), taps[kind])
    ]
    written = (
        (REJECTS, rejects),
        (STAGE_STATISTICS, stages),
        (GROUP_STATISTICS, groups),
        (DISTRIBUTIONS, distributions),
        (VERDICTS, verdicts),
        (INCIDENTS, incidents),
    )
    return columns, [(table, values) for table, values in written if values]


def _tap_table(tap_tables: TapTables, kind: tuple[str, str]) -> Table:
    if kind not in tap_tables:
        raise DatabaseError(
            f"no tap table for {kind[0]} after the stage {kind[1]}; "
            "see: streamwatch taps lint, streamwatch db upgrade"
        )
    return tap_tables[kind]


def _reject(row: RejectRow) -> Values:
    return (
        fit_text(row.topic),
        row.partition,
        row.epoch,
        row.offset,
        row.event_type,
        row.kind,
        row.stage,
        fit_text(row.reason),
        fit_text(row.field),
        fit_optional_text(row.event_id),
        fit_optional_text(row.shop),
        timestamp_text(row.occurred_at),
        arrival_text(row.arrived_at),
        fit_text(row.payload),
    )


def _stage(row: StageRow) -> Values:
    changed = row.transition.changed
    return (
        fit_text(row.shop),
        row.event_type,
        row.span,
        timestamp_text(row.bucket),
        row.stage,
        fit_text(row.feature),
        row.moments.n,
        finite(row.moments.mean),
        finite(row.moments.variance),
        row.moments.missing,
        changed,
        finite(row.transition.sum_change / changed) if changed else None,
    )


def _group(row: GroupRow) -> Values:
    changed = row.change.changed
    return (
        fit_text(row.shop),
        row.event_type,
        row.span,
        timestamp_text(row.bucket),
        row.labels,
        fit_text(row.value),
        fit_text(row.feature),
        row.group.n,
        finite(row.group.mean),
        changed,
        finite(row.change.sum_change / changed) if changed else None,
    )


def _distribution(row: DistributionRow) -> Values:
    bins = msgspec.json.encode({str(place): row.bins[place] for place in sorted(row.bins)})
    return (
        fit_text(row.shop),
        row.event_type,
        row.span,
        timestamp_text(row.bucket),
        fit_text(row.feature),
        sum(row.bins.values()),
        bins.decode(),
    )


def _verdict(row: VerdictRow) -> Values:
    verdict = row.verdict
    key = verdict.key
    return (
        fit_text(key.shop),
        key.event_type,
        fit_text(key.kpi),
        fit_text(key.segment),
        key.span,
        timestamp_text(verdict.bucket),
        finite(verdict.value),
        verdict.n,
        verdict.state,
        finite(verdict.score),
        finite(verdict.expected),
        finite(verdict.lower),
        finite(verdict.upper),
        fit_text(verdict.reason),
        verdict.version,
        timestamp_text(verdict.judged_at),
    )


def _incident(row: IncidentRow) -> Values:
    incident = row.incident
    key = incident.key
    return (
        fit_text(incident.id),
        fit_text(key.shop),
        key.event_type,
        fit_text(key.kpi),
        fit_text(key.segment),
        key.span,
        incident.direction,
        incident.status,
        timestamp_text(incident.since),
        timestamp_text(incident.until),
        timestamp_text(incident.last_bucket),
        finite(incident.value),
        finite(incident.expected),
        finite(incident.lower),
        finite(incident.upper),
        finite(incident.score),
        incident.buckets,
        fit_text(incident.reason),
        incident.revision,
        timestamp_text(incident.updated_at),
        fit_text(incident.origin),
        fit_text(incident.origin_reason),
        fit_text(incident.hypothesis),
        fit_text(incident.part_of),
        fit_text(incident.acknowledged),
    )
