"""Rows of a table (CSV, Parquet) to lines: each becomes a JSON object."""

from collections.abc import Callable
from typing import Any

import msgspec

from streamwatch.adapters.files.routes import Routes, compile_routes
from streamwatch.adapters.files.source_line import SourceLine

ToLine = Callable[[dict[str, Any], int], SourceLine]

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode


def compile_row(routes: Routes, name: str) -> ToLine:
    """The function that makes a line of a row and its number.

    Args:
        routes: decide the topic and whether the row gets an id.
        name: the file's name, for that id.

    >>> from streamwatch.adapters.files.routes import Route
    >>> to_line = compile_row(Routes((Route("purchase"),), line_id="event_id"), "shop.csv")
    >>> to_line({"Country": "France"}, 7).value
    b'{"Country":"France","event_id":"shop.csv:7"}'
    """
    topic_of, line_id = compile_routes(routes), routes.line_id

    def to_line(row: dict[str, Any], line: int) -> SourceLine:
        if line_id is not None and line_id not in row:
            row[line_id] = f"{name}:{line}"
        return SourceLine(topic_of(row), -1, _ENCODE(row), None, line)

    return to_line
