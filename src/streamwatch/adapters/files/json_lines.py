"""JSON lines: plain objects, or the envelopes that ``streamwatch simulate`` writes."""

import io
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from streamwatch.adapters.files.routes import Routes, compile_routes, to_topic
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.errors import ConfigurationError

LONGEST_LINE = 8 << 20
"""Bytes of a line that are kept; far beyond what a record may have, and it bounds memory."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A line that says itself where it belongs: exactly these three keys."""

    topic: str
    arrived: int
    value: msgspec.Raw


def read_json_lines(
    stream: io.BufferedReader,
    path: str,
    routes: Routes | None,
    name: str,
    otherwise: str | None = None,
) -> Iterator[SourceLine]:
    """The lines of a stream; blank ones are counted and left out.

    The first line decides whether the file holds envelopes. The bytes of a value pass through
    untouched, so that the pipeline's own decode judges them. A line that is no envelope among
    envelopes (a broken one) stays with the topic of the line before it.

    Args:
        stream: the bytes.
        path: for messages.
        routes: for plain lines; of envelopes they overrule the topic.
        name: the file's name, for ids.
        otherwise: the topic of plain lines without routes.

    Raises:
        ConfigurationError: plain lines without a topic, or a JSON array instead of lines.
    """
    numbered = _numbered(stream)
    first = next(numbered, None)
    if first is None:
        return
    number, text = first
    if _envelope(text) is not None:
        yield from _read_envelopes(first, numbered, routes)
        return
    if text.strip() == b"[" or text.lstrip().startswith(b"[{"):
        raise ConfigurationError(
            f"{path}:{number}: is one JSON array; write one object a line: jq -c '.[]' {path}"
        )
    if routes is None and otherwise is not None:
        routes = to_topic(otherwise)
    if routes is None:
        raise ConfigurationError(
            f"{path}:{number}: the lines name no topic: add --topic NAME or --routes FILE"
        )
    to_line = _compile_plain(routes, name)
    yield to_line(text, number)
    for number, text in numbered:
        yield to_line(text, number)


def _numbered(stream: io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    readline = partial(stream.readline, LONGEST_LINE)
    if stream.peek(3).startswith(_BYTE_ORDER_MARK):
        stream.read(3)
    for number, text in enumerate(iter(readline, b""), start=1):
        if len(text) == LONGEST_LINE and not text.endswith(b"\n"):
            rest = readline()
            while rest and not rest.endswith(b"\n"):
                rest = readline()
        line = text.rstrip(b"\r\n")
        if line and not line.isspace():
            yield number, line


_DECODE = msgspec.json.Decoder(Envelope).decode


def _envelope(text: bytes) -> Envelope | None:
    try:
        return _DECODE(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _read_envelopes(
    first: tuple[int, bytes], numbered: Iterator[tuple[int, bytes]], routes: Routes | None
) -> Iterator[SourceLine]:
    topic_of = None if routes is None else _compile_topic(routes)
    topic = ""
    number, text = first
    while True:
        found = _envelope(text)
        if found is None:
            value: bytes | None = text
            arrived = -1
        else:
            value, topic, arrived = bytes(found.value), found.topic, found.arrived
            if value == b"null":
                value = None
        yield SourceLine(
            topic if topic_of is None else topic_of(value or b""), arrived, value, None, number
        )
        following = next(numbered, None)
        if following is None:
            return
        number, text = following


def _compile_topic(routes: Routes) -> Callable[[bytes], str]:
    topic_of = compile_routes(routes)
    if len(routes.routes) == 1:
        return lambda _: routes.routes[0].topic
    return lambda value: topic_of(_object(value) or {})


def _compile_plain(routes: Routes, name: str) -> Callable[[bytes, int], SourceLine]:
    topic_of, line_id = compile_routes(routes), routes.line_id
    if line_id is None and len(routes.routes) == 1:
        topic = routes.routes[0].topic
        return lambda text, number: SourceLine(topic, -1, text, None, number)

    def to_line(text: bytes, number: int) -> SourceLine:
        row = _object(text)
        if row is None:
            return SourceLine(topic_of({}), -1, text, None, number)
        if line_id is not None and line_id not in row:
            text = _with_id(text, line_id, f"{name}:{number}", empty=not row)
        return SourceLine(topic_of(row), -1, text, None, number)

    return to_line


def _object(text: bytes) -> dict[str, object] | None:
    try:
        row = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _with_id(text: bytes, key: str, value: str, *, empty: bool) -> bytes:
    """The object with one more key in front; the rest of its bytes stays as it is.

    >>> _with_id(b'{"shop": "s"}', "event_id", "a.jsonl:1", empty=False)
    b'{"event_id":"a.jsonl:1","shop": "s"}'
    """
    pair = msgspec.json.encode({key: value})[:-1]
    return pair + (b"" if empty else b",") + text.lstrip()[1:]
