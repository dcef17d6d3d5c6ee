"""What is wrong now in the fleet, worst first, and which shops there are.

Nothing here reads a table whole: shops are found by one index seek each, incidents by their
status.
"""

from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, func, literal, select

from streamwatch.adapters.sql.acknowledgements import newest_words
from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.incidents import incident_of
from streamwatch.adapters.sql.tables import ACKNOWLEDGEMENTS, FENCES, INCIDENTS, VERDICTS
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.incidents import FLEET, Incident

Wanted = Literal["open", "new", "acknowledged", "closed", "all"]
WANTED: tuple[Wanted, ...] = get_args(Wanted)


class FleetFilter(msgspec.Struct, frozen=True):
    """Which incidents: ``new`` are open and nobody has said anything about them.

    ``shop`` is any part of the shop's name; an empty text leaves a condition out.
    """

    status: Wanted = "open"
    shop: str = ""
    kpi: str = ""
    origin: str = ""


class FleetRow(msgspec.Struct, frozen=True):
    """One KPI of a shop that departed.

    Attributes:
        incident: of the whole shop where there is one, else of its worst segment.
        departures: how many incidents stand behind it: segments, spans.
        covered: how many open ones are part of it: segments, later KPIs, shops.
        acknowledged: kind and person of the newest word on the incident; empty for none.
    """

    incident: Incident
    departures: int
    acknowledged: str
    who: str
    covered: int = 0


class FleetPage(msgspec.Struct, frozen=True):
    """One page of rows, and how many rows there are in all."""

    rows: list[FleetRow]
    total: int


class FleetState(msgspec.Struct, frozen=True):
    """How the fleet and streamwatch itself stand.

    Attributes:
        open, shops: open incidents, and the shops that have any.
        written_at: when a step last wrote, milliseconds; ``None`` before the first time.
        kpis, origins: the names that incidents have, for choosing.
    """

    open: int
    shops: int
    written_at: int | None
    kpis: list[str]
    origins: list[str]


class ShopRow(msgspec.Struct, frozen=True):
    """A shop; ``judged`` says how far each event type's days are judged, milliseconds."""

    shop: str
    open: int
    worst: float | None
    judged: dict[str, int]


class ShopsPage(msgspec.Struct, frozen=True):
    """One page of shops, and how many there are in all."""

    rows: list[ShopRow]
    total: int


def fleet_page(engine: Engine, wanted: FleetFilter, page: int, size: int) -> FleetPage:
    """Departed KPIs: what nobody has acknowledged first, then the farthest out.

    What a KPI's segments show at the same time stands behind the row of the whole shop.
    Where closed incidents are wanted, each has a row of its own, the newest first.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    chosen = _history(wanted) if wanted.status in {"closed", "all"} else _open_now(wanted)
    paged = chosen.limit(size).offset((page - 1) * size)
    with reading(engine) as connection:
        places = connection.execute(paged).all()
        if wanted.status in {"closed", "all"}:
            counted = select(func.count()).select_from(INCIDENTS).where(*_conditions(wanted))
            total = connection.execute(counted).scalar_one()
        elif places or page == 1:
            total = places[0].total if places else 0
        else:
            beginning = connection.execute(chosen.limit(1)).one_or_none()
            total = beginning.total if beginning else 0
        ids = [one.id for one in places]
        found = connection.execute(select(INCIDENTS).where(INCIDENTS.c.id.in_(ids)))
        incidents = {row.id: incident_of(row) for row in found}
        parts = {row[0]: row[1] for row in connection.execute(_parts_of(ids))}
        said = {one.incident_id: one for one in connection.execute(_newest_words_on(ids))}
    rows = [
        FleetRow(
            incidents[one.id],
            one.departures,
            said[one.id].kind if one.id in said else "",
            said[one.id].who if one.id in said else "",
            parts.get(one.id, 0),
        )
        for one in places
    ]
    return FleetPage(rows, total)


def _open_now(wanted: FleetFilter) -> Select[Any]:
    incidents, words = INCIDENTS.c, ACKNOWLEDGEMENTS.c
    same = (incidents.shop, incidents.event_type, incidents.kpi, incidents.direction)
    distance = func.abs(func.coalesce(incidents.score, 0.0))
    first = (incidents.segment != "all", incidents.span != "day", distance.desc(), incidents.id)
    # Who looks for a shop wants to see its part in what departs elsewhere too.
    cover = INCIDENTS.alias("cover")
    covered = select(cover.c.id).where(cover.c.id == incidents.part_of, cover.c.status == "open")
    alone = () if wanted.shop else ((incidents.part_of == "") | ~covered.exists(),)
    acknowledged = select(words.id).where(words.incident_id == incidents.id).exists()
    found = (
        select(
            incidents.id,
            acknowledged.label("acknowledged"),
            func.row_number().over(partition_by=same, order_by=first).label("place"),
            func.count().over(partition_by=same).label("departures"),
            func.max(distance).over(partition_by=same).label("worst"),
        )
        .where(*_conditions(wanted), *alone)
        .subquery("found")
    )
    rows = select(found.c.id, found.c.departures, func.count().over().label("total"))
    rows = rows.where(found.c.place == 1)
    match wanted.status:
        case "new":
            rows = rows.where(~found.c.acknowledged)
        case "acknowledged":
            rows = rows.where(found.c.acknowledged)
    return rows.order_by(found.c.acknowledged, found.c.worst.desc(), found.c.id)


def _history(wanted: FleetFilter) -> Select[Any]:
    incidents = INCIDENTS.c
    rows = select(incidents.id, literal(1).label("departures")).where(*_conditions(wanted))
    return rows.order_by(incidents.since.desc(), incidents.id)


def _parts_of(ids: list[str]) -> Select[Any]:
    incidents = INCIDENTS.c
    return (
        select(incidents.part_of, func.count())
        .where(incidents.status == "open", incidents.part_of.in_(ids))
        .group_by(incidents.part_of)
    )


def _newest_words_on(ids: list[str]) -> Select[Any]:
    newest, words = newest_words(ids), ACKNOWLEDGEMENTS.c
    return select(words.incident_id, words.kind, words.who).join(
        newest, newest.c.newest == words.id
    )


def _conditions(wanted: FleetFilter) -> list[ColumnElement[bool]]:
    incidents = INCIDENTS.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.status != "all":
        status = "closed" if wanted.status == "closed" else "open"
        conditions.append(incidents.status == status)
    if wanted.shop:
        conditions.append(incidents.shop.icontains(wanted.shop, autoescape=True))
    if wanted.kpi:
        conditions.append(incidents.kpi == wanted.kpi)
    if wanted.origin:
        conditions.append(incidents.origin == wanted.origin)
    return conditions


def fleet_state(engine: Engine) -> FleetState:
    """How the fleet and streamwatch itself stand.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    incidents = INCIDENTS.c
    counts = select(func.count(), func.count(incidents.shop.distinct())).where(
        incidents.status == "open", incidents.shop != FLEET
    )
    with reading(engine) as connection:
        open_, shops = connection.execute(counts).one()
        written_at = connection.execute(select(func.max(FENCES.c.updated_at))).scalar()
        kpis = connection.execute(select(incidents.kpi).distinct().order_by(incidents.kpi))
        kpi_names = list(kpis.scalars())
        origin = select(incidents.origin).where(incidents.origin != "").distinct()
        origins = list(connection.execute(origin.order_by(incidents.origin)).scalars())
    return FleetState(open_, shops, written_at, kpi_names, origins)


def shops_page(engine: Engine, search: str, page: int, size: int, since: int) -> ShopsPage:
    """Shops whose name contains a text, in the order of their names.

    ``since`` (milliseconds) bounds how far back the newest judged day is looked for.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    names = _shop_names().subquery("named")
    query = select(names.c.shop)
    if search:
        query = query.where(names.c.shop.icontains(search, autoescape=True))
    with reading(engine) as connection:
        total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
        ordered = query.order_by(names.c.shop).limit(size).offset((page - 1) * size)
        shops = list(connection.execute(ordered).scalars())
        incidents, verdicts = INCIDENTS.c, VERDICTS.c
        departed = connection.execute(
            select(incidents.shop, func.count(), func.max(func.abs(incidents.score)))
            .where(incidents.status == "open", incidents.shop.in_(shops))
            .group_by(incidents.shop)
        ).all()
        days = connection.execute(
            select(verdicts.shop, verdicts.event_type, func.max(verdicts.bucket))
            .where(
                verdicts.shop.in_(shops),
                verdicts.event_type.in_(list(EVENT_TYPES)),
                verdicts.kpi == "volume",
                verdicts.segment == "all",
                verdicts.span == "day",
                verdicts.bucket >= since,
            )
            .group_by(verdicts.shop, verdicts.event_type)
        ).all()
    open_ = {shop: (count, worst) for shop, count, worst in departed}
    judged: dict[str, dict[str, int]] = {}
    for shop, event_type, bucket in days:
        judged.setdefault(shop, {})[event_type] = bucket
    rows = [ShopRow(shop, *open_.get(shop, (0, None)), judged.get(shop, {})) for shop in shops]
    return ShopsPage(rows, total)


def _shop_names() -> Any:
    # DISTINCT would read the whole index; this seeks once for each shop.
    verdicts = VERDICTS.c
    names = select(func.min(verdicts.shop).label("shop")).cte("shop_names", recursive=True)
    following = select(func.min(verdicts.shop)).where(verdicts.shop > names.c.shop)
    names = names.union_all(select(following.scalar_subquery()).where(names.c.shop.is_not(None)))
    return select(names.c.shop).where(names.c.shop.is_not(None))
