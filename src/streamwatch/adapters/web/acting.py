"""What forms do: acknowledge an incident, sign in, sign out."""

import logging
from http import HTTPStatus

from sqlalchemy import Engine

from streamwatch.adapters.acknowledging import Telling, acknowledge
from streamwatch.adapters.alertmanager import Silencer
from streamwatch.adapters.sql.incidents import find_incident
from streamwatch.adapters.web.access import (
    COOKIE,
    LONGEST_NAME,
    SESSION_MS,
    Access,
    Visitor,
    check_form_token,
    new_session,
    right_of,
)
from streamwatch.adapters.web.exchange import RefusedRequest, Request, Response, form_of
from streamwatch.adapters.web.rendering import link
from streamwatch.domain.acknowledgements import KINDS, LONGEST_NOTE

_log = logging.getLogger(__name__)


def acknowledged(
    engine: Engine,
    access: Access,
    request: Request,
    visitor: Visitor,
    *,
    silencer: Silencer | None,
    silence_ms: int,
    tell: Telling | None,
    now_ms: int,
) -> Response:
    """Store what the form says about an incident, and lead back to its page.

    Raises:
        RefusedRequest: the visitor may not, or the form is wrong.
        DatabaseError: the database does not answer or is not migrated.
    """
    form = form_of(request)
    if not visitor.can_write:
        _log.warning("%s may not acknowledge and tried to", ascii(visitor.name))
        raise RefusedRequest(HTTPStatus.FORBIDDEN, "you may read, not acknowledge")
    check_form_token(access, visitor, form.get("form", ""))
    kind = next((one for one in KINDS if one == form.get("kind")), None)
    note = form.get("note", "").strip()
    if kind is None:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, f"kind is one of: {', '.join(KINDS)}")
    if len(note) > LONGEST_NOTE:
        text = f"the note has more than {LONGEST_NOTE} characters"
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, text)
    incident = find_incident(engine, form.get("id", ""))
    if incident is None:
        raise RefusedRequest(HTTPStatus.NOT_FOUND, "there is no such incident")
    outcome = acknowledge(
        engine,
        silencer,
        incident,
        kind,
        note,
        visitor.name,
        now_ms=now_ms,
        silence_ms=silence_ms,
        tell=tell,
    )
    done = "silenced" if outcome.acknowledgement.silence else "done"
    done = "partly" if outcome.failed else done
    return _elsewhere(link("/incident", id=incident.id, done=done))


def done_words(kind: str) -> str:
    """What `acknowledged` did, for the page that it leads back to."""
    return {
        "done": "Acknowledged.",
        "silenced": "Acknowledged, and its alert is silenced until it closes.",
        "partly": "Acknowledged and stored, but not all of the rest was done: Alertmanager or "
        "Kafka did not answer. The silence is tried again every minute; for the baseline, "
        "acknowledge again later.",
    }.get(kind, "")


def signed_in(access: Access, request: Request, now_ms: int) -> Response | None:
    """A session for whoever shows a token; ``None`` when it opens nothing.

    Raises:
        RefusedRequest: the form is wrong.
    """
    form = form_of(request)
    right = right_of(access, form.get("token", "").strip())
    who = form.get("who", "").strip()[:LONGEST_NAME]
    if not right:
        _log.warning("somebody from %s tried to sign in with a wrong token", request.peer)
        return None
    session = new_session(access, right, who or "token", now_ms)
    return _elsewhere(own_address(form.get("next", "")), _cookie(access, request, session))


def signed_out(access: Access, request: Request, visitor: Visitor | None) -> Response:
    """The end of a session.

    Raises:
        RefusedRequest: the form is wrong.
    """
    if visitor is not None:
        check_form_token(access, visitor, form_of(request).get("form", ""))
    return _elsewhere("/", _cookie(access, request, "", seconds=0))


def own_address(address: str) -> str:
    """The address, when it is one of ours; else the first page.

    >>> own_address("/shop?name=a"), own_address("//evil.example")
    ('/shop?name=a', '/')
    """
    ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if ours and address.isascii() and address.isprintable() else "/"


def _elsewhere(address: str, *headers: tuple[str, str]) -> Response:
    return Response(HTTPStatus.SEE_OTHER, headers=(("Location", address), *headers))


def _cookie(
    access: Access, request: Request, value: str, seconds: int = SESSION_MS // 1000
) -> tuple[str, str]:
    # Lax, so that a link in an alert opens the page; forms are guarded by their token.
    parts = [f"{COOKIE}={value}", "Path=/", f"Max-Age={seconds}", "HttpOnly", "SameSite=Lax"]
    proxied = request.peer in access.proxies
    if proxied and request.headers.get("x-forwarded-proto", "").lower() == "https":
        parts.append("Secure")
    return "Set-Cookie", "; ".join(parts)
