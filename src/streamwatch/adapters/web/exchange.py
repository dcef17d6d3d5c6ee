"""A request as the pages see it, and what they answer; whatever the server."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

import msgspec

MOST_FIELDS = 20
"""Fields of a query or a form."""

LARGEST_BODY = 16_384
"""Bytes of a form."""

FORM = "application/x-www-form-urlencoded"


class RefusedRequest(Exception):  # noqa: N818  it is an answer, not a failure of ours
    """The request cannot be answered; the text is shown to whoever sent it."""

    def __init__(
        self, status: HTTPStatus, text: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers


class Request(msgspec.Struct, frozen=True):
    """One request.

    Attributes:
        method: ``GET``, ``HEAD``, ``POST`` …
        path: without the query, percent signs resolved.
        query: the raw query, without the question mark.
        headers: in small letters.
        peer: the address that it came from: a browser's, or a proxy's.
        body: of a form.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    peer: str = "127.0.0.1"
    body: bytes = b""


class Response(msgspec.Struct, frozen=True):
    """One answer; the site adds the headers that every answer has."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def query_of(request: Request) -> dict[str, str]:
    """The fields of the query.

    Raises:
        RefusedRequest: a field stands twice, holds a NUL, or there are too many.
    """
    return _fields(request.query)


def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent.

    Raises:
        RefusedRequest: it is no form, too large, or a field is wrong.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise RefusedRequest(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send a form ({FORM})")
    if len(request.body) > LARGEST_BODY:
        raise RefusedRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the form is too large")
    try:
        return _fields(request.body.decode("ascii"))
    except UnicodeDecodeError:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "the form is not encoded") from None


def _fields(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (ValueError, UnicodeError):
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "the fields cannot be read") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "a field stands twice")
    if any("\0" in part for pair in pairs for part in pair):
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "a field holds a NUL")
    return fields
