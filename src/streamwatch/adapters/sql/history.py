"""The verdicts of one shop over time, and the incidents like one."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, func, select, tuple_

from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.incidents import incident_of
from streamwatch.adapters.sql.tables import INCIDENTS, VERDICTS
from streamwatch.domain.incidents import FLEET, Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.smallgroups import withheld
from streamwatch.domain.verdicts import Verdict

MOST_KEYS = 1_000
"""KPIs of a shop, segments counted; more are not looked for."""

MOST_POINTS = 400
"""Verdicts of a KPI, the newest."""

MOST_LIKE = 12
"""Incidents like one."""

MOST_PARTS = 50
"""Incidents that one covers."""

_KEY = ("event_type", "kpi", "segment", "span")


class Alike(msgspec.Struct, frozen=True):
    """Incidents that help to judge one.

    Attributes:
        before: of the same shop and KPI, the newest first.
        meanwhile: of other shops, in the same KPI and direction, at about the same time.
        parts: that this one covers, the farthest out first.
    """

    before: list[Incident]
    meanwhile: list[Incident]
    parts: list[Incident]


def shop_keys(engine: Engine, shop: str) -> list[KpiKey]:
    """The KPIs that were ever judged of a shop, by event type, name, segment and span.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    verdicts = VERDICTS.c
    columns = [verdicts[name] for name in _KEY]
    first = select(*columns).where(verdicts.shop == shop).order_by(*columns).limit(1)
    keys: list[KpiKey] = []
    with reading(engine) as connection:
        row = connection.execute(first).one_or_none()
        while row is not None and len(keys) < MOST_KEYS:
            event_type, kpi, segment, span = row
            keys.append(KpiKey(shop, event_type, kpi, segment, span))
            # One index seek for each KPI; DISTINCT would read every verdict of the shop.
            following = first.where(tuple_(*columns) > tuple_(*row))
            row = connection.execute(following).one_or_none()
    return keys


def newest_bucket(engine: Engine, keys: list[KpiKey]) -> int | None:
    """The newest bucket in which any of some KPIs was judged; an index seek for each.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    verdicts = VERDICTS.c
    found: list[int] = []
    with reading(engine) as connection:
        for key in keys:
            own = [verdicts[name] == getattr(key, name) for name in _KEY]
            query = select(func.max(verdicts.bucket)).where(verdicts.shop == key.shop, *own)
            newest = connection.execute(query).scalar()
            found += [] if newest is None else [newest]
    return max(found, default=None)


def verdicts_of(
    engine: Engine, keys: list[KpiKey], since: int, until: int, *, of_few: bool = False
) -> dict[KpiKey, list[Verdict]]:
    """The verdicts of some KPIs in a time, oldest first.

    Args:
        engine: the database.
        keys: the KPIs.
        since: the first of their buckets, milliseconds.
        until: the last.
        of_few: whether also the mean body measures of too few people are told; for a diagnosis,
            which weighs them and tells them nobody.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    with reading(engine) as connection:
        found = {key: _verdicts(connection, key, since, until) for key in keys}
    if of_few:
        return found
    return {key: [withheld(one) for one in verdicts] for key, verdicts in found.items()}


def _verdicts(connection: Connection, key: KpiKey, since: int, until: int) -> list[Verdict]:
    verdicts = VERDICTS.c
    query = (
        select(VERDICTS)
        .where(
            verdicts.shop == key.shop,
            *(verdicts[name] == getattr(key, name) for name in _KEY),
            verdicts.bucket.between(since, until),
        )
        .order_by(verdicts.bucket.desc())
        .limit(MOST_POINTS)
    )
    return [_verdict(key, row) for row in reversed(connection.execute(query).all())]


def _verdict(key: KpiKey, row: Row[Any]) -> Verdict:
    return Verdict(
        key=key,
        bucket=row.bucket,
        value=float("nan") if row.value is None else row.value,
        n=row.n,
        state=row.state,
        score=row.score or 0.0,
        expected=row.expected,
        lower=row.lower,
        upper=row.upper,
        reason=row.reason,
        version=row.version,
        judged_at=row.judged_at,
    )


def newest_incident(engine: Engine, key: KpiKey, direction: str) -> Incident | None:
    """The newest incident of a KPI and direction, open ones first: where an alert leads.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    incidents = INCIDENTS.c
    query = (
        select(INCIDENTS)
        .where(
            incidents.shop == key.shop,
            *(incidents[name] == getattr(key, name) for name in _KEY),
        )
        .order_by(incidents.status != "open", incidents.since.desc(), incidents.id)
        .limit(1)
    )
    if direction:
        query = query.where(incidents.direction == direction)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return incident_of(row) if row else None


def open_incidents_of(engine: Engine, shop: str) -> list[Incident]:
    """The open incidents of a shop, the farthest out first.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    query = select(INCIDENTS).where(INCIDENTS.c.status == "open", INCIDENTS.c.shop == shop)
    with reading(engine) as connection:
        found = [incident_of(row) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (one.key.segment != "all", -abs(one.score), one.id))


def alike(engine: Engine, incident: Incident, around: int) -> Alike:
    """Incidents like one; ``around`` is what counts as the same time, milliseconds.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    key, incidents = incident.key, INCIDENTS.c
    same = (
        incidents.kpi == key.kpi,
        incidents.event_type == key.event_type,
        incidents.segment == key.segment,
    )
    before = (
        select(INCIDENTS)
        .where(*same, incidents.shop == key.shop, incidents.id != incident.id)
        .order_by(incidents.since.desc(), incidents.id)
        .limit(MOST_LIKE)
    )
    meanwhile = (
        select(INCIDENTS)
        .where(
            *same,
            incidents.shop.not_in([key.shop, FLEET]),
            incidents.direction == incident.direction,
            incidents.since.between(incident.since - around, incident.since + around),
        )
        .order_by(incidents.since.desc(), incidents.id)
        .limit(MOST_LIKE)
    )
    parts = (
        select(INCIDENTS)
        .where(incidents.part_of == incident.id)
        .order_by(func.abs(incidents.score).desc().nulls_last(), incidents.id)
        .limit(MOST_PARTS)
    )
    if incident.status == "open":
        parts = parts.where(incidents.status == "open")
    with reading(engine) as connection:
        return Alike(
            *(
                [incident_of(row) for row in connection.execute(query)]
                for query in (before, meanwhile, parts)
            )
        )
