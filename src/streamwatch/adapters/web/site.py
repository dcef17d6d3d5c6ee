"""The whole site as one function from a request to a response; the server only carries it."""

import logging
import re
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import msgspec
from sqlalchemy import Engine

from streamwatch import __version__
from streamwatch.adapters.acknowledging import Telling
from streamwatch.adapters.alertmanager import Silencer
from streamwatch.adapters.web.access import (
    Access,
    Visitor,
    check_host,
    check_origin,
    form_token,
    visitor_of,
)
from streamwatch.adapters.web.acting import acknowledged, done_words, signed_in, signed_out
from streamwatch.adapters.web.api import SCHEMA_VERSION, ProblemAnswer
from streamwatch.adapters.web.evidence import may_have_evidence
from streamwatch.adapters.web.exchange import RefusedRequest, Request, Response, query_of
from streamwatch.adapters.web.fleet_view import fleet_view, shops_view
from streamwatch.adapters.web.incident_view import incident_of_query, incident_view
from streamwatch.adapters.web.openapi import ENDPOINTS, openapi_document
from streamwatch.adapters.web.rendering import link, render
from streamwatch.adapters.web.shop_view import shop_view
from streamwatch.diagnosis.report import Report
from streamwatch.domain.incidents import FLEET, Incident
from streamwatch.errors import ServiceError

_log = logging.getLogger(__name__)

HEADERS = (
    (
        "Content-Security-Policy",
        (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        ),
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""What every answer carries."""

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
_RUNBOOK = re.compile(r"/runbooks/([A-Za-z0-9]{1,80})\.md")
_API = {endpoint.path: endpoint for endpoint in ENDPOINTS}
_PAGES = ("/", "/shops", "/shop", "/incident", "/sign-in")
_POSTS = ("/acknowledge", "/sign-in", "/sign-out")
_OTHERS = ("/style.css", "/openapi.json", "/evidence")
_MACHINES = (*_API, "/openapi.json")

Runbook = Callable[[str], str | None]
"""The text of an alert's runbook by its name; ``None`` where there is none."""

Evidence = Callable[[Incident], bytes | None]
"""The evidence pack of an incident as an archive; ``None`` where there is none."""


Diagnose = Callable[[Incident], Report]
"""The diagnosis of an incident, as far as anybody who may read may know it."""


class Site(msgspec.Struct, frozen=True):
    """What the pages are made from.

    Attributes:
        engine: the database.
        access: who may see and write.
        now_ms: the clock, milliseconds.
        silencer, silence_ms: Alertmanager, if there is one, and how long its silences last.
        runbook, evidence, diagnose: where those are found.
        tell: brings acknowledgements to the judges.
    """

    engine: Engine
    access: Access
    now_ms: Callable[[], int]
    silencer: Silencer | None = None
    silence_ms: int = 86_400_000
    runbook: Runbook = lambda _: None
    evidence: Evidence | None = None
    diagnose: Diagnose | None = None
    tell: Telling | None = None

    def answer(self, request: Request) -> Response:
        """The answer to a request, whatever the request is."""
        visitor: Visitor | None = None
        try:
            if request.path == "/-/healthy":
                found = Response(HTTPStatus.OK, b"healthy\n", TEXT)
            else:
                check_host(self.access, request)
                _check_method(request)
                visitor = visitor_of(self.access, request, self.now_ms())
                found = self._found(request, visitor)
        except RefusedRequest as refused:
            found = self._problem(request, visitor, refused)
        except ServiceError as error:
            _log.warning("a page failed: %s", error)
            problem = RefusedRequest(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
            found = self._problem(request, visitor, problem)
        except Exception:  # noqa: BLE001  a page that fails must not show why
            _log.exception("a page failed: %s %s", request.method, ascii(request.path))
            text = "Something went wrong here; the log of streamwatch web says what."
            problem = RefusedRequest(HTTPStatus.INTERNAL_SERVER_ERROR, text)
            found = self._problem(request, None, problem)
        caching = () if any(name == "Cache-Control" for name, _ in found.headers) else (
            ("Cache-Control", "no-store"),
        )  # fmt: skip
        headers = (*HEADERS, *caching, *found.headers)
        return msgspec.structs.replace(found, headers=headers)

    def _found(self, request: Request, visitor: Visitor | None) -> Response:
        if request.path == "/style.css":
            kept = (("Cache-Control", "public, max-age=3600"),)
            return Response(HTTPStatus.OK, _style(), "text/css; charset=utf-8", kept)
        if request.method == "POST":
            check_origin(request)
            return self._acted(request, visitor)
        query = query_of(request)
        if request.path == "/sign-in":
            return self._page(request, visitor, "sign_in.html", next=query.get("next", "/"),
                              failed="")  # fmt: skip
        if visitor is None:
            raise _unknown(request)
        return self._seen(request, query, visitor)

    def _seen(self, request: Request, query: dict[str, str], visitor: Visitor) -> Response:
        match request.path:
            case "/":
                values = fleet_view(self.engine, query, self.now_ms())
                return self._page(request, visitor, "fleet.html", **values)
            case "/shops":
                values = shops_view(self.engine, query, self.now_ms())
                return self._page(request, visitor, "shops.html", **values)
            case "/shop":
                values = shop_view(self.engine, query)
                return self._page(request, visitor, "shop.html", **values)
            case "/incident":
                return self._incident(request, query, visitor)
            case "/openapi.json":
                return Response(
                    HTTPStatus.OK, msgspec.json.encode(openapi_document(__version__)), JSON
                )
            case "/evidence":
                return self._evidence(query)
        if request.path in _API:
            answer = _API[request.path].answering(self.engine, query, self.now_ms())
            return Response(HTTPStatus.OK, msgspec.json.encode(answer), JSON)
        named = _RUNBOOK.fullmatch(request.path)
        text = self.runbook(named[1]) if named else None
        if text is None:
            raise RefusedRequest(HTTPStatus.NOT_FOUND, "there is no such page")
        return Response(HTTPStatus.OK, text.encode(), TEXT)

    def _incident(self, request: Request, query: dict[str, str], visitor: Visitor) -> Response:
        try:
            incident = incident_of_query(self.engine, query)
        except RefusedRequest:
            # An alert on many shops may fire before FLEET has made one incident of theirs.
            if query.get("shop") != FLEET:
                raise
            where = (("Location", link("/", kpi=query.get("kpi"))),)
            raise RefusedRequest(HTTPStatus.SEE_OTHER, "see the shops", where) from None
        report = None
        if self.diagnose is not None and not incident.is_fleet:
            report = self.diagnose(incident)
        command = f"streamwatch incidents ack {_quoted(incident.id)} --as KIND --note TEXT"
        return self._page(
            request,
            visitor,
            "incident.html",
            **incident_view(self.engine, incident, report),
            done=done_words(query.get("done", "")),
            silences=self.silencer is not None,
            evidence=self.evidence is not None and may_have_evidence(incident),
            command=command,
        )

    def _evidence(self, query: dict[str, str]) -> Response:
        incident = incident_of_query(self.engine, query)
        found = self.evidence(incident) if self.evidence is not None else None
        if found is None:
            raise RefusedRequest(HTTPStatus.NOT_FOUND, "there is no evidence of this incident")
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"evidence-{incident.id}")[:120]
        saved = (("Content-Disposition", f'attachment; filename="{name}.zip"'),)
        return Response(HTTPStatus.OK, found, "application/zip", saved)

    def _acted(self, request: Request, visitor: Visitor | None) -> Response:
        now_ms = self.now_ms()
        match request.path:
            case "/sign-in":
                response = signed_in(self.access, request, now_ms)
                if response is not None:
                    return response
                return self._page(
                    request,
                    visitor,
                    "sign_in.html",
                    status=HTTPStatus.FORBIDDEN,
                    next="/",
                    failed="This token opens nothing here.",
                )
            case "/sign-out":
                return signed_out(self.access, request, visitor)
        if visitor is None:
            raise _unknown(request)
        return acknowledged(
            self.engine,
            self.access,
            request,
            visitor,
            silencer=self.silencer,
            silence_ms=self.silence_ms,
            tell=self.tell,
            now_ms=now_ms,
        )

    def _page(
        self,
        request: Request,
        visitor: Visitor | None,
        template: str,
        status: HTTPStatus = HTTPStatus.OK,
        **values: Any,
    ) -> Response:
        address = request.path + (f"?{request.query}" if request.query else "")
        by_token = bool(self.access.token or self.access.write_token)
        body = render(
            template,
            visitor=visitor,
            form_token=form_token(self.access, visitor) if visitor else "",
            signed_in=visitor is not None and visitor.by_session,
            can_sign_in=by_token,
            here_address=address if request.method != "POST" else "/",
            **values,
        )
        return Response(status, body)

    def _problem(
        self, request: Request, visitor: Visitor | None, refused: RefusedRequest
    ) -> Response:
        if request.path in _MACHINES or request.path.startswith("/api/"):
            body = msgspec.json.encode(ProblemAnswer(SCHEMA_VERSION, refused.text))
            return Response(refused.status, body, JSON, refused.headers)
        text = refused.text[:1].upper() + refused.text[1:]
        page = self._page(
            request, visitor, "problem.html", refused.status, heading=refused.status.phrase,
            text=text,
        )  # fmt: skip
        return msgspec.structs.replace(page, headers=refused.headers)


def _check_method(request: Request) -> None:
    posts, gets = request.path in _POSTS, request.path in (*_PAGES, *_API, *_OTHERS)
    gets = gets or _RUNBOOK.fullmatch(request.path) is not None
    allowed = [*(("GET", "HEAD") if gets or not posts else ()), *(("POST",) if posts else ())]
    if request.method not in allowed:
        text = f"this address takes {', '.join(allowed)} only"
        headers = (("Allow", ", ".join(allowed)),)
        raise RefusedRequest(HTTPStatus.METHOD_NOT_ALLOWED, text, headers)


def _unknown(request: Request) -> RefusedRequest:
    if request.path in _MACHINES or request.path.startswith("/api/"):
        challenge = (("WWW-Authenticate", 'Bearer realm="streamwatch"'),)
        text = "send a token: Authorization: Bearer TOKEN"
        return RefusedRequest(HTTPStatus.UNAUTHORIZED, text, challenge)
    address = request.path + (f"?{request.query}" if request.query else "")
    if request.method == "POST":
        address = "/"
    where = (("Location", link("/sign-in", next=address)),)
    return RefusedRequest(HTTPStatus.SEE_OTHER, "sign in first", where)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@cache
def _style() -> bytes:
    return files("streamwatch.adapters.web").joinpath("style.css").read_bytes()
