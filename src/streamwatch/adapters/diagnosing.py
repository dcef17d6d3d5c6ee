"""From an incident, or a KPI and a moment, to its diagnosis: reads the database, then asks."""

import msgspec
from sqlalchemy import Engine

from streamwatch.adapters.sql.diagnosis import HISTORY_DAYS, stored_departure
from streamwatch.adapters.sql.history import verdicts_of
from streamwatch.adapters.sql.recorded import recorded_under
from streamwatch.diagnosis.origin import UNDETERMINED, Origin
from streamwatch.diagnosis.pack import Pack
from streamwatch.diagnosis.report import Report, make_report
from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.settings import Settings


def records_of(incident: Incident) -> str:
    """The incident under which the flight recorder's records of this one stand."""
    return recorded_under(incident.id, incident.key.shop, incident.part_of)


def diagnose_incident(engine: Engine, incident: Incident, settings: Settings) -> Report:
    """The diagnosis of an incident's worst bucket.

    What the judge said when it had the bucket before it stands where the stored days say
    nothing: of a silence, of an hour, or of days that are no longer kept.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    key = incident.key
    verdicts = verdicts_of(engine, [key], incident.since, incident.last_bucket)[key]
    unusual = [verdict for verdict in verdicts if verdict.state == "unusual"]
    worst = max(unusual, key=lambda one: abs(one.score), default=None)
    bucket = incident.since if worst is None else worst.bucket
    stored = stored_departure(engine, key, bucket, settings, incident.since, records_of(incident))
    report = make_report(stored)
    origin = report.found.origin
    if origin.name != UNDETERMINED or incident.origin in ("", UNDETERMINED):
        return report
    told = Origin(incident.origin, incident.origin_reason, origin.shift, origin.parts)
    found = msgspec.structs.replace(report.found, origin=told)
    return msgspec.structs.replace(report, found=found)


def evidence_of(
    engine: Engine, incident: Incident, report: Report, settings: Settings, now_ms: int
) -> Pack:
    """What goes into the pack for the client.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    key = incident.key
    begin = incident.since - HISTORY_DAYS * DAY_MS
    stored = stored_departure(
        engine, key, report.bucket, settings, incident.since, records_of(incident)
    )
    usual: dict[int, int] = {}
    for features in stored.before.values():
        if report.feature in features:
            for place, count in features[report.feature].sketch.items():
                usual[place] = usual.get(place, 0) + count
    now = stored.days[report.feature].sketch if report.feature in stored.days else {}
    means = key.kpi.startswith("mean.")
    return Pack(
        report=report,
        since=incident.since,
        until=incident.until,
        verdicts=verdicts_of(engine, [key], begin, incident.last_bucket)[key],
        usual=usual if means else {},
        now=now if means else {},
        bad=report.bad,
        made_at=now_ms,
    )


def diagnose_moment(engine: Engine, key: KpiKey, moment: int, settings: Settings) -> Report:
    """The diagnosis of a KPI in the day that a moment lies in, whether it was alarmed or not.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    return make_report(stored_departure(engine, key, moment, settings))
