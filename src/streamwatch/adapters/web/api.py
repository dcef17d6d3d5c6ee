"""The JSON API, version 1: what the pages show, for machines. It only reads."""

import math
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from sqlalchemy import Engine

from streamwatch.adapters.sql.acknowledgements import acknowledgements_of
from streamwatch.adapters.sql.fleet import fleet_page, shops_page
from streamwatch.adapters.sql.history import open_incidents_of, shop_keys, verdicts_of
from streamwatch.adapters.web.exchange import RefusedRequest
from streamwatch.adapters.web.fleet_view import (
    JUDGED_DAYS,
    LONGEST_SEARCH,
    PAGE_SIZE,
    page_of,
    wanted_of,
)
from streamwatch.adapters.web.incident_view import BEFORE, incident_of_query, shown_until
from streamwatch.adapters.web.shop_view import shown_verdicts
from streamwatch.adapters.web.wording import DAY_MS, incident_unit, iso, unit_of
from streamwatch.domain.acknowledgements import AcknowledgementKind
from streamwatch.domain.incidents import Direction, Incident, Status
from streamwatch.domain.readings import Span
from streamwatch.domain.verdicts import State, Verdict

SCHEMA_VERSION: Literal[1] = 1


class IncidentAnswer(msgspec.Struct, frozen=True):
    """An incident; moments are RFC 3339 in UTC, numbers in the unit, ``null`` where unknown."""

    id: str
    shop: str
    event_type: str
    kpi: str
    segment: str
    span: Span
    direction: Direction
    status: Status
    since: str
    until: str | None
    last_bucket: str
    unit: str
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    score: float | None
    buckets: int
    reason: str
    origin: str
    origin_reason: str
    hypothesis: str
    part_of: str
    updated_at: str


class AcknowledgementAnswer(msgspec.Struct, frozen=True):
    """What somebody said about an incident."""

    kind: AcknowledgementKind
    note: str
    who: str
    at: str


class FleetRowAnswer(msgspec.Struct, frozen=True):
    """A departed KPI: its incident, how many incidents stand behind it, and the newest word."""

    incident: IncidentAnswer
    departures: int
    acknowledged: str
    who: str
    covered: int


class ReadingAnswer(msgspec.Struct, frozen=True):
    """One judged reading."""

    bucket: str
    value: float | None
    n: int
    state: State
    score: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    reason: str


class IncidentsAnswer(msgspec.Struct, frozen=True):
    """One page of incidents, what nobody acknowledged first, the farthest out first."""

    schema_version: Literal[1]
    total: int
    page: int
    page_size: int
    incidents: list[FleetRowAnswer]


class OneIncidentAnswer(msgspec.Struct, frozen=True):
    """One incident with its readings and what was said about it, newest first."""

    schema_version: Literal[1]
    incident: IncidentAnswer
    readings: list[ReadingAnswer]
    acknowledgements: list[AcknowledgementAnswer]


class ShopAnswer(msgspec.Struct, frozen=True):
    """A shop in a list: its open incidents, and up to when its days are judged."""

    shop: str
    open_incidents: int
    judged: dict[str, str]


class ShopsAnswer(msgspec.Struct, frozen=True):
    """One page of shops, in the order of their names."""

    schema_version: Literal[1]
    total: int
    page: int
    page_size: int
    shops: list[ShopAnswer]


class KpiAnswer(msgspec.Struct, frozen=True):
    """A KPI of a shop with its newest reading."""

    event_type: str
    kpi: str
    segment: str
    span: Span
    unit: str
    newest: ReadingAnswer


class OneShopAnswer(msgspec.Struct, frozen=True):
    """One shop: its KPIs and its open incidents."""

    schema_version: Literal[1]
    shop: str
    kpis: list[KpiAnswer]
    incidents: list[IncidentAnswer]


class ProblemAnswer(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    schema_version: Literal[1]
    error: str


def incidents_answer(engine: Engine, query: dict[str, str], now_ms: int) -> IncidentsAnswer:  # noqa: ARG001
    """The answer of ``/api/v1/incidents``.

    Raises:
        RefusedRequest: the query is wrong.
        DatabaseError: the database does not answer or is not migrated.
    """
    page = page_of(query)
    found = fleet_page(engine, wanted_of(query), page, PAGE_SIZE)
    rows = [
        FleetRowAnswer(
            incident_answer(one.incident), one.departures, one.acknowledged, one.who, one.covered
        )
        for one in found.rows
    ]
    return IncidentsAnswer(SCHEMA_VERSION, found.total, page, PAGE_SIZE, rows)


def one_incident_answer(engine: Engine, query: dict[str, str], now_ms: int) -> OneIncidentAnswer:  # noqa: ARG001
    """The answer of ``/api/v1/incident``.

    Raises:
        RefusedRequest: there is no such incident.
        DatabaseError: the database does not answer or is not migrated.
    """
    incident = incident_of_query(engine, query)
    key = incident.key
    since = incident.since - BEFORE[key.span]
    verdicts = verdicts_of(engine, [key], since, shown_until(incident))[key]
    said = [
        AcknowledgementAnswer(one.kind, one.note, one.who, iso(one.at))
        for one in acknowledgements_of(engine, [incident.id])
    ]
    readings = [_reading(one) for one in verdicts]
    return OneIncidentAnswer(SCHEMA_VERSION, incident_answer(incident), readings, said)


def shops_answer(engine: Engine, query: dict[str, str], now_ms: int) -> ShopsAnswer:
    """The answer of ``/api/v1/shops``.

    Raises:
        RefusedRequest: the query is wrong.
        DatabaseError: the database does not answer or is not migrated.
    """
    page, search = page_of(query), query.get("search", "").strip()
    if len(search) > LONGEST_SEARCH:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "the search is too long")
    found = shops_page(engine, search, page, PAGE_SIZE, now_ms - JUDGED_DAYS * DAY_MS)
    shops = [
        ShopAnswer(one.shop, one.open, {event: iso(at) for event, at in one.judged.items()})
        for one in found.rows
    ]
    return ShopsAnswer(SCHEMA_VERSION, found.total, page, PAGE_SIZE, shops)


def one_shop_answer(engine: Engine, query: dict[str, str], now_ms: int) -> OneShopAnswer:  # noqa: ARG001
    """The answer of ``/api/v1/shop``.

    Raises:
        RefusedRequest: no such shop was judged.
        DatabaseError: the database does not answer or is not migrated.
    """
    shop, segment = query.get("name", ""), query.get("segment") or "all"
    keys = [key for key in shop_keys(engine, shop) if key.segment == segment] if shop else []
    if not keys:
        raise RefusedRequest(HTTPStatus.NOT_FOUND, "no such shop or segment was judged")
    found = shown_verdicts(engine, keys)
    kpis = [
        KpiAnswer(
            key.event_type, key.kpi, key.segment, key.span, unit_of(key.kpi), _reading(one[-1])
        )
        for key, one in found.items()
        if one
    ]
    incidents = [incident_answer(one) for one in open_incidents_of(engine, shop)]
    return OneShopAnswer(SCHEMA_VERSION, shop, kpis, incidents)


def incident_answer(incident: Incident) -> IncidentAnswer:
    """An incident as the API gives it."""
    times = {name: iso(getattr(incident, name)) for name in ("since", "last_bucket", "updated_at")}
    return msgspec.convert(
        {
            **_plain(incident),
            **_plain(incident.key),
            **times,
            "until": None if incident.until is None else iso(incident.until),
            "unit": incident_unit(incident),
        },
        IncidentAnswer,
    )


def _reading(one: Verdict) -> ReadingAnswer:
    return msgspec.convert({**_plain(one), "bucket": iso(one.bucket)}, ReadingAnswer)


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    """The fields of a value; an unknown number is ``None``, since JSON has no other."""
    return {
        name: _finite(field) if isinstance(field, float) else field
        for name, field in msgspec.structs.asdict(value).items()
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
