"""A shop's page: each KPI with its band over time, and what the judging says of it."""

from http import HTTPStatus
from typing import Any

import msgspec
from markupsafe import Markup
from sqlalchemy import Engine

from streamwatch.adapters.sql.history import (
    newest_bucket,
    open_incidents_of,
    shop_keys,
    verdicts_of,
)
from streamwatch.adapters.web.exchange import RefusedRequest
from streamwatch.adapters.web.plots import SMALL, Departure, Point, plot
from streamwatch.adapters.web.wording import DAY_MS, band, kpi_title, unit_of, with_unit
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import Verdict

DAYS = 60
"""Days that the plots show, up to the newest verdict."""

KINDS = ("volume", "silence", "mean", "ratio", "mix", "missing", "rejects", "marks")
"""Kinds of KPIs in the order of the page."""

QUIET = frozenset({"mix", "missing", "rejects", "marks"})
"""Kinds that are folded away while there is nothing about them."""

NEWEST = 14
"""Verdicts that stand in a table under each plot."""

HOURLY_DAYS = 4


class Card(msgspec.Struct, frozen=True):
    """One KPI on the shop's page.

    Attributes:
        state: of the newest verdict.
        reason: why, in words.
        incident: the open one of this KPI, if there is one.
        newest: the last verdicts, the newest first.
        unit: of their numbers.
    """

    key: KpiKey
    title: str
    state: str
    reason: str
    value: str
    band: str
    bucket: int
    plot: Markup
    incident: Incident | None
    newest: tuple[Verdict, ...]
    unit: str


def shop_view(engine: Engine, query: dict[str, str]) -> dict[str, Any]:
    """What the template of the shop's page shows.

    Raises:
        RefusedRequest: no such shop is known, or the query is wrong.
        DatabaseError: the database does not answer or is not migrated.
    """
    shop = query.get("name", "")
    keys = shop_keys(engine, shop) if shop else []
    if not keys:
        raise RefusedRequest(HTTPStatus.NOT_FOUND, "no reading of a shop of that name was judged")
    segments = sorted({key.segment for key in keys}, key=lambda one: (one != "all", one))
    segment = query.get("segment") or "all"
    spans = sorted({key.span for key in keys})
    longest = next((one for one in ("month", "week") if one in spans), "day")
    span = query.get("span") or longest
    if segment not in segments or span not in ("month", "week", "day", "hour"):
        raise RefusedRequest(HTTPStatus.NOT_FOUND, "the shop has no such segment or span")
    shown = [key for key in keys if key.segment == segment and key.span == span]
    incidents = open_incidents_of(engine, shop)
    cards = cards_of(engine, shown, incidents)
    return {
        "shop": shop,
        "segment": segment,
        "segments": segments,
        "span": span,
        "spans": spans,
        "cards": [card for card in cards if not _is_quiet(card)],
        "quiet": [card for card in cards if _is_quiet(card)],
        "incidents": incidents,
        "learning": sum(card.state == "warming" for card in cards),
    }


def cards_of(engine: Engine, keys: list[KpiKey], incidents: list[Incident]) -> list[Card]:
    """A card for each KPI: those with an open incident first, then by their kind.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    found = shown_verdicts(engine, keys)
    open_ = {incident.key: incident for incident in incidents}
    cards = [_card(key, found[key], open_.get(key)) for key in keys if found.get(key)]
    return sorted(
        cards,
        key=lambda card: (card.incident is None, card.state != "unusual", _place(card.key.kpi)),
    )


def shown_verdicts(engine: Engine, keys: list[KpiKey]) -> dict[KpiKey, list[Verdict]]:
    """The verdicts of the last days of some KPIs of a shop, up to the newest that any has.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    newest = newest_bucket(engine, keys)
    return {} if newest is None else verdicts_of(engine, keys, newest - DAYS * DAY_MS, newest)


def _place(kpi: str) -> int:
    kind = kpi.partition(".")[0]
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _is_quiet(card: Card) -> bool:
    kind = card.key.kpi.partition(".")[0]
    return kind in QUIET and card.incident is None and card.state != "unusual"


def _card(key: KpiKey, verdicts: list[Verdict], incident: Incident | None) -> Card:
    newest = verdicts[-1]
    days = HOURLY_DAYS if key.span == "hour" else DAYS
    points = points_of(verdicts, newest.bucket - days * DAY_MS)
    unit = unit_of(key.kpi)
    title = kpi_title(key)
    label = f"{title}: {newest.state}. {newest.reason}"
    departure = Departure(incident.since, incident.until) if incident else None
    return Card(
        key=key,
        title=title,
        state=newest.state,
        reason=newest.reason,
        value=with_unit(newest.value, unit),
        band=band(newest.lower, newest.upper, unit),
        bucket=newest.bucket,
        plot=plot(points, label=label, span=key.span, frame=SMALL, departure=departure, unit=unit),
        incident=incident,
        newest=tuple(reversed(verdicts[-NEWEST:])),
        unit=unit,
    )


def points_of(verdicts: list[Verdict], since: int) -> list[Point]:
    """Verdicts from a time on, as a plot takes them."""
    return [
        Point(one.bucket, one.value, one.expected, one.lower, one.upper, one.state)
        for one in verdicts
        if one.bucket >= since
    ]
