"""Reading incidents, and the query that shows where one came in."""

import math
from typing import Any

from sqlalchemy import Engine, Row, cast, column, func, select, table
from sqlalchemy.types import Date

from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.tables import INCIDENTS
from streamwatch.adapters.sql.tap_tables import table_name
from streamwatch.adapters.sql.timestamps import Timestamp
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey

WEEK_MS = 7 * 86_400_000
CUTS = ("category", "gender", "app_version")
"""The labels by which a journey view can be cut."""


def list_incidents(
    engine: Engine, *, only_open: bool = False, shop: str | None = None
) -> list[Incident]:
    """Incidents, the newest first.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    query = select(INCIDENTS).order_by(INCIDENTS.c.since.desc(), INCIDENTS.c.id)
    if only_open:
        query = query.where(INCIDENTS.c.status == "open")
    if shop is not None:
        query = query.where(INCIDENTS.c.shop == shop)
    with reading(engine) as connection:
        return [incident_of(row) for row in connection.execute(query)]


def find_incident(engine: Engine, id_: str) -> Incident | None:
    """The incident of that id.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    with reading(engine) as connection:
        row = connection.execute(select(INCIDENTS).where(INCIDENTS.c.id == id_)).one_or_none()
    return incident_of(row) if row else None


def covered_by(engine: Engine, incident: Incident, most: int = 500) -> list[Incident]:
    """Open incidents that an incident covers, of the same KPI: a shop's segments, or its shops.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    key, incidents = incident.key, INCIDENTS.c
    if incident.is_fleet:
        covered = [incidents.part_of == incident.id]
    elif key.segment == "all":
        covered = [incidents.shop == key.shop]
    else:
        return []
    query = (
        select(INCIDENTS)
        .where(
            incidents.status == "open",
            incidents.event_type == key.event_type,
            incidents.kpi == key.kpi,
            incidents.direction == incident.direction,
            incidents.id != incident.id,
            *covered,
        )
        .order_by(incidents.id)
        .limit(most)
    )
    with reading(engine) as connection:
        return [incident_of(row) for row in connection.execute(query)]


def journey_query(engine: Engine, incident: Incident) -> str:
    """A query in the database's own dialect: the shop's days, before and after conversion.

    It begins a week before the incident. A mean that shifts in ``…_decode`` already came so
    from the client; one that shifts in ``…_normalise`` only came in between.
    """
    kind = EVENT_TYPES[incident.key.event_type]
    feature, part = _feature(incident.key.kpi)
    view = table(table_name(kind.name, "journey"))
    occurred_at = column("occurred_at", Timestamp)
    day = cast(occurred_at, Date) if engine.dialect.name == "postgresql" else func.date(occurred_at)
    wanted = [day.label("day"), func.count().label("records")]
    if feature in kind.numbers:
        wanted += [
            func.avg(column(f"{feature}_{stage}")).label(f"{feature}_{stage}")
            for stage in ("decode", "normalise")
        ]
    query = (
        select(*wanted)
        .select_from(view)
        .where(column("shop") == incident.key.shop, occurred_at >= incident.since - WEEK_MS)
        .group_by(day)
        .order_by(day)
    )
    if incident.until is not None:
        query = query.where(occurred_at < incident.until + WEEK_MS)
    if part and feature in kind.split:
        query = query.where(column(f"{kind.split[feature]}_normalise") == part)
    label, _, value = incident.key.segment.partition("=")
    if label in CUTS:
        query = query.where(column(label) == value)
    compiled = query.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
    return f"{compiled};"


def _feature(kpi: str) -> tuple[str, str]:
    """The number that a KPI is about, and its part: ``price`` and ``EUR``."""
    _, _, rest = kpi.partition(".")
    feature, _, part = rest.partition(".")
    return feature, part


def incident_of(row: Row[Any]) -> Incident:
    """The incident of a row of its table; NULL is unknown, not a number."""
    return Incident(
        id=row.id,
        key=KpiKey(row.shop, row.event_type, row.kpi, row.segment, row.span),
        direction=row.direction,
        status=row.status,
        since=row.since,
        until=row.until,
        last_bucket=row.last_bucket,
        value=_known(row.value),
        expected=_known(row.expected),
        lower=_known(row.lower),
        upper=_known(row.upper),
        score=_known(row.score),
        buckets=row.buckets,
        reason=row.reason,
        revision=row.revision,
        updated_at=row.updated_at,
        origin=row.origin,
        hypothesis=row.hypothesis,
        part_of=row.part_of,
        acknowledged=row.acknowledged,
        origin_reason=row.origin_reason,
    )


def _known(number: float | None) -> float:
    return math.nan if number is None else number
