"""``streamwatch diagnose``: where a departure came in, and what shows it."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy import Engine

from streamwatch.adapters.diagnosing import diagnose_incident, diagnose_moment, records_of
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.diagnosis_queries import queries
from streamwatch.adapters.sql.incidents import find_incident
from streamwatch.adapters.sql.migrations import check_migrated
from streamwatch.cli.database import database_option, opened
from streamwatch.cli.diagnosis_text import print_diagnosis
from streamwatch.cli.output import OK, console, json_option, print_json, settings_option
from streamwatch.diagnosis.report import Report
from streamwatch.diagnosis.telling import told
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.settings import Settings

_EPILOG = """\b
Examples:
  streamwatch diagnose 'shop-003/widget-event/mean.height/all/day/low@2026-03-01T00:00:00Z'
  streamwatch diagnose --shop shop-003 --kpi mean.height --at 2026-03-01
  streamwatch diagnose --shop shop-003 --kpi volume --event purchase --at 2026-03-01 --json

Incidents and their ids: streamwatch incidents list --open"""


@click.command(epilog=_EPILOG)
@click.argument("incident_id", metavar="[INCIDENT]", required=False)
@click.option("--shop", default=None, help="Instead of an incident: the shop.")
@click.option("--kpi", default=None, help="mean.height, missing.age, volume …")
@click.option("--at", "moment", default=None, metavar="TIME", help="A moment within the day; UTC.")
@click.option(
    "--event",
    "event_type",
    type=click.Choice(sorted(EVENT_TYPES)),
    default=None,
    help="The event type; told by the KPI where only one has it.",
)
@click.option("--segment", default="all", show_default=True, help="Such as gender=female.")
@database_option
@settings_option
@json_option
def command(
    incident_id: str | None,
    shop: str | None,
    kpi: str | None,
    moment: str | None,
    event_type: str | None,
    segment: str,
    database: str | None,
    settings_file: str | None,
    as_json: bool,
) -> int:
    """Say where INCIDENT came in: the client, a stage of ours, or not to be determined.

    Compares the day with the days before at every stage, tells mix from value, says what the
    affected records share and what may have been done to them, and prints the SQL that shows
    it. Nothing is stored or changed.
    """
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        incident = None
        if incident_id is not None:
            incident = incident_of(engine, incident_id)
            report = diagnose_incident(engine, incident, settings)
        else:
            key, at = _asked(shop, kpi, moment, event_type, segment)
            report = _of_moment(engine, key, at, settings)
        shown = queries(engine, report, settings, "" if incident is None else records_of(incident))
        report = told(report)
    if as_json:
        print_json({"diagnosis": as_plain(report, incident), "queries": msgspec.to_builtins(shown)})
    else:
        print_diagnosis(console(), report, incident, shown)
    return OK


def incident_of(engine: Engine, incident_id: str) -> Incident:
    """The incident of that id.

    Raises:
        UsageError: there is none.
    """
    incident = find_incident(engine, incident_id)
    if incident is None:
        raise click.UsageError(
            f"there is no incident {incident_id}; all of them: streamwatch incidents list"
        )
    return incident


def as_plain(report: Report, incident: Incident | None) -> dict[str, Any]:
    """The diagnosis for machines."""
    plain: dict[str, Any] = msgspec.to_builtins(report)
    found = plain.pop("found")
    bad = plain.pop("bad")
    return {
        "incident": None if incident is None else incident.id,
        "origin": found["origin"]["name"],
        "reason": found["origin"]["reason"],
        "hypothesis": report.found.hypothesis,
        "parts": found["origin"]["parts"],
        "hypotheses": found["hypotheses"],
        "first_bad": bad[0] if bad else None,
        **plain,
    }


def _of_moment(engine: Engine, key: KpiKey, at: int, settings: Settings) -> Report:
    report = diagnose_moment(engine, key, at, settings)
    if not report.lines:
        when = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        raise click.UsageError(
            f"nothing is stored of {key.event_type} of {key.shop} on the day of {when} UTC; "
            "days are stored once they are closed: streamwatch incidents list"
        )
    return report


def _asked(
    shop: str | None, kpi: str | None, moment: str | None, event_type: str | None, segment: str
) -> tuple[KpiKey, int]:
    if shop is None or kpi is None or moment is None:
        raise click.UsageError("name an INCIDENT, or all of --shop, --kpi and --at")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise click.UsageError(
            f"--at {moment}: write a time such as 2026-03-01 or 2026-03-01T14:30"
        ) from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    kind = event_type or _event_type(kpi)
    return KpiKey(shop, kind, kpi, segment), round(at.timestamp() * 1000)


def _event_type(kpi: str) -> str:
    field = kpi.partition(".")[2].partition(".")[0]
    having = [
        name for name, kind in EVENT_TYPES.items() if field in kind.numbers or field in kind.labels
    ]
    if len(having) != 1:
        names = ", ".join(having or EVENT_TYPES)
        raise click.UsageError(f"--kpi {kpi}: say of which event type: --event ({names})")
    return having[0]
