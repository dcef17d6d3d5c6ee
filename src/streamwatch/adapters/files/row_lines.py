"""Rows of a table (CSV, Parquet) to lines: each becomes a JSON object."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from streamwatch.adapters.files.routes import Routes, compile_routes
from streamwatch.adapters.files.source_line import SourceLine

ToLine = Callable[[dict[str, Any], int], SourceLine]
ToLines = Callable[[Sequence[Iterable[Any]], int], Iterator[SourceLine]]
"""From columns and the number of their first row."""

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


def compile_columns(routes: Routes, name: str, columns: Sequence[str]) -> ToLines:
    """The function that makes lines of columns, one of each row; what is ``None`` is left out.

    Args:
        routes: decide the topic and whether the row gets an id.
        name: the file's name, for that id.
        columns: their names.

    >>> from streamwatch.adapters.files.routes import Route
    >>> to_lines = compile_columns(Routes((Route("purchase"),)), "a.parquet", ["shop", "price"])
    >>> [line.value for line in to_lines([["s", "t"], [9.5, None]], 1)]
    [b'{"shop":"s","price":9.5}', b'{"shop":"t"}']
    """
    if len(routes.routes) > 1 or routes.line_id is not None or len({*columns}) < len(columns):
        to_line = compile_row(routes, name)

        def row_by_row(values: Sequence[Iterable[Any]], first: int) -> Iterator[SourceLine]:
            for number, row in enumerate(zip(*values, strict=True), start=first):
                found = zip(columns, row, strict=True)
                yield to_line({k: v for k, v in found if v is not None}, number)

        return row_by_row
    # A struct is made and written in a third of the time of a dict.
    fields = [(f"field_{place}", Any, None) for place in range(len(columns))]
    names = {field[0]: column for field, column in zip(fields, columns, strict=True)}
    row_type = msgspec.defstruct("Row", fields, omit_defaults=True, rename=names, gc=False)
    topic = routes.routes[0].topic

    def all_rows(values: Sequence[Iterable[Any]], first: int) -> Iterator[SourceLine]:
        for number, row in enumerate(map(row_type, *values), start=first):
            yield SourceLine(topic, -1, _ENCODE(row), None, number)

    return all_rows
