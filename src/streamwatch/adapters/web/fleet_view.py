"""The fleet's page: what is wrong now, worst first; and the list of shops."""

from http import HTTPStatus
from typing import Any

from sqlalchemy import Engine

from streamwatch.adapters.sql.fleet import WANTED, FleetFilter, fleet_page, fleet_state, shops_page
from streamwatch.adapters.web.exchange import RefusedRequest
from streamwatch.adapters.web.rendering import link
from streamwatch.adapters.web.wording import DAY_MS

PAGE_SIZE = 50
MOST_PAGES = 100_000
LONGEST_SEARCH = 200
FRESH_MS = 10 * 60_000
"""Nothing written for longer than this is said at the top."""

JUDGED_DAYS = 90
"""How far back the list of shops looks for the newest judged day."""


def wanted_of(query: dict[str, str]) -> FleetFilter:
    """The filter that a query asks for.

    Raises:
        RefusedRequest: there is no such status, or a text is too long.
    """
    status = query.get("status", "open")
    found = next((one for one in WANTED if one == status), None)
    if found is None:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, f"status is one of: {', '.join(WANTED)}")
    texts = {key: query.get(key, "").strip() for key in ("shop", "kpi", "origin")}
    if any(len(text) > LONGEST_SEARCH for text in texts.values()):
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "the search is too long")
    return FleetFilter(found, **texts)


def page_of(query: dict[str, str]) -> int:
    """The number of the page that a query asks for, from 1.

    Raises:
        RefusedRequest: it is no number of a page.
    """
    text = query.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_PAGES))):
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "page is a number from 1")
    return min(max(int(text), 1), MOST_PAGES)


def fleet_view(engine: Engine, query: dict[str, str], now_ms: int) -> dict[str, Any]:
    """What the template of the fleet's page shows.

    Raises:
        RefusedRequest: the query is wrong.
        DatabaseError: the database does not answer or is not migrated.
    """
    wanted, page = wanted_of(query), page_of(query)
    found = fleet_page(engine, wanted, page, PAGE_SIZE)
    state = fleet_state(engine)
    return {
        "wanted": wanted,
        "statuses": WANTED,
        "rows": found.rows,
        "total": found.total,
        "state": state,
        "stale_ms": stale_ms(state.written_at, now_ms),
        "pages": _pages("/", page, found.total, status=wanted.status, shop=wanted.shop,
                        kpi=wanted.kpi, origin=wanted.origin),
    }  # fmt: skip


def shops_view(engine: Engine, query: dict[str, str], now_ms: int) -> dict[str, Any]:
    """What the template of the list of shops shows.

    Raises:
        RefusedRequest: the query is wrong.
        DatabaseError: the database does not answer or is not migrated.
    """
    search, page = query.get("search", "").strip(), page_of(query)
    if len(search) > LONGEST_SEARCH:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "the search is too long")
    found = shops_page(engine, search, page, PAGE_SIZE, now_ms - JUDGED_DAYS * DAY_MS)
    return {
        "search": search,
        "rows": found.rows,
        "total": found.total,
        "pages": _pages("/shops", page, found.total, search=search),
    }


def stale_ms(written_at: int | None, now_ms: int) -> int | None:
    """For how long nothing was written, when that is too long."""
    if written_at is None or now_ms - written_at < FRESH_MS:
        return None
    return now_ms - written_at


def _pages(path: str, page: int, total: int, **query: str) -> dict[str, Any]:
    last = max((total + PAGE_SIZE - 1) // PAGE_SIZE, 1)
    return {
        "page": page,
        "last": last,
        "first_row": (page - 1) * PAGE_SIZE + 1 if total else 0,
        "last_row": min(page * PAGE_SIZE, total),
        "before": link(path, **query, page=page - 1) if page > 1 else "",
        "after": link(path, **query, page=page + 1) if page < last else "",
    }
