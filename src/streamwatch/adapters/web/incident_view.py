"""An incident's page: how far out, since when, where it came in, and what can be done."""

from http import HTTPStatus
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Engine

from streamwatch.adapters.sql.acknowledgements import acknowledgements_of
from streamwatch.adapters.sql.history import alike, newest_incident, verdicts_of
from streamwatch.adapters.sql.incidents import find_incident, journey_query
from streamwatch.adapters.sql.journey import SampleRecord, sample_records, stage_days
from streamwatch.adapters.web.diagnosis_view import diagnosis_view
from streamwatch.adapters.web.exchange import RefusedRequest
from streamwatch.adapters.web.plots import Departure, plot
from streamwatch.adapters.web.shop_view import points_of
from streamwatch.adapters.web.stages_view import stage_table
from streamwatch.adapters.web.wording import (
    DAY_MS,
    HOUR_MS,
    incident_unit,
    knows,
    kpi_title,
    unit_of,
)
from streamwatch.diagnosis.report import Report
from streamwatch.domain.acknowledgements import KINDS, MEANING
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey, Span

BEFORE = {"month": 365 * DAY_MS, "week": 84 * DAY_MS, "day": 28 * DAY_MS, "hour": 3 * DAY_MS}
AFTER = {"month": 62 * DAY_MS, "week": 14 * DAY_MS, "day": 7 * DAY_MS, "hour": DAY_MS}
_SPANS: dict[str, Span] = {"hour": "hour", "week": "week", "month": "month"}
LENGTHS = {"month": 31 * DAY_MS, "week": 7 * DAY_MS, "day": DAY_MS, "hour": HOUR_MS}
MOST_DAYS = 90
"""Days of an incident that are shown; a longer one is cut at its newest end."""

SAMPLES = 8


def incident_of_query(engine: Engine, query: dict[str, str]) -> Incident:
    """The incident that a query names: by its id, or by the labels of its alert.

    Raises:
        RefusedRequest: there is none.
        DatabaseError: the database does not answer or is not migrated.
    """
    found: Incident | None
    if "id" in query:
        found = find_incident(engine, query["id"])
    else:
        key = KpiKey(
            query.get("shop", ""),
            query.get("event_type", ""),
            query.get("kpi", ""),
            query.get("segment") or "all",
            _SPANS.get(query.get("span", ""), "day"),
        )
        found = newest_incident(engine, key, query.get("direction", ""))
    if found is None:
        raise RefusedRequest(HTTPStatus.NOT_FOUND, "there is no such incident")
    return found


def incident_view(
    engine: Engine, incident: Incident, report: Report | None = None
) -> dict[str, Any]:
    """What the template of the incident's page shows; ``report`` is its diagnosis, if there is one.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    key = incident.key
    until = shown_until(incident)
    # A silence is a single moment; the days around it show what is missing.
    seen = key if key.kpi != "silence" else replace(key, kpi="volume", span="day")
    verdicts = verdicts_of(engine, [seen], incident.since - BEFORE[seen.span], until)[seen]
    title = kpi_title(key)
    drawn = plot(
        points_of(verdicts, 0),
        label=f"{kpi_title(seen)} of {key.shop} with the expected band. {incident.reason}",
        span=seen.span,
        departure=Departure(incident.since, incident.until),
        unit=unit_of(seen.kpi),
    )
    statistics = stage_days(engine, key.shop, key.event_type, incident.since - BEFORE["day"], until)
    length = LENGTHS[key.span]
    ends = incident.until if incident.until is not None else incident.last_bucket + length
    samples = sample_records(engine, key.shop, key.event_type, incident.since, ends, SAMPLES)
    like = alike(engine, incident, 2 * length)
    return {
        "incident": incident,
        "key": key,
        "title": title,
        "unit": incident_unit(incident),
        "plot": drawn,
        "plot_title": "" if seen is key else kpi_title(seen),
        "plot_unit": unit_of(seen.kpi),
        "plot_span": seen.span,
        "verdicts": verdicts,
        "stages": stage_table(incident, statistics),
        "diagnosis": diagnosis_view(report),
        "segment_hint": key.segment != "all",
        "samples": samples,
        "sample_columns": sample_columns(key, samples),
        "sql": journey_query(engine, incident)
        if knows(key.event_type) and not incident.is_fleet
        else "",
        "said": acknowledgements_of(engine, [incident.id]),
        "alike": like,
        "earlier": {one.incident_id: one.kind for one in _earlier(engine, like.before)},
        "kinds": [(kind, MEANING[kind]) for kind in KINDS],
    }


def shown_until(incident: Incident) -> int:
    """Up to where an incident's page looks, milliseconds."""
    last = incident.last_bucket if incident.until is None else incident.until
    last = min(last, incident.since + MOST_DAYS * DAY_MS)
    return last + AFTER[incident.key.span]


def sample_columns(key: KpiKey, samples: list[SampleRecord]) -> list[str]:
    """Columns in which sampled records have values: the KPI's own feature and its unit first."""
    kind = EVENT_TYPES.get(key.event_type)
    if kind is None:
        return []
    feature = key.kpi.partition(".")[2].partition(".")[0]
    about = [feature] if feature in (*kind.numbers, *kind.labels) else []
    about += [kind.units[one] for one in about if one in kind.units]
    about += [kind.split[one] for one in about if one in kind.split]
    filled = {
        column
        for record in samples
        for columns in record.stages.values()
        for column, value in columns.items()
        if value is not None
    }
    order = (*kind.numbers, *kind.units.values(), *kind.labels)
    others = [one for one in order if one in filled and one not in about]
    return [*about, *others, *sorted(filled - set(about) - set(order))]


def _earlier(engine: Engine, incidents: list[Incident]) -> list[Any]:
    # The newest word on each comes last, so that it stands.
    return list(reversed(acknowledgements_of(engine, [one.id for one in incidents])))
