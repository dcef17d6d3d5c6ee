"""CSV: each row becomes a JSON object of text values, empty cells left out."""

import csv
import io
from collections.abc import Iterator
from functools import partial

from streamwatch.adapters.files.routes import Routes, compile_routes
from streamwatch.adapters.files.row_lines import compile_row
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.errors import ConfigurationError

LONGEST_CELL = 1 << 20
"""Characters; a quote that is never closed so swallows no more than this."""

LONGEST_LINE = 8 << 20
"""Characters of a line that are kept; it bounds memory."""

_DELIMITERS = ",;\t|"


def read_csv(
    stream: io.BufferedReader, path: str, routes: Routes, name: str
) -> Iterator[SourceLine]:
    """The rows of a stream; its first row names the columns, the delimiter is told from it.

    A row that cannot be read as such (bytes that are no UTF-8, more cells than columns, a
    quote that is never closed) passes on as it stands in the file: that is no JSON object, so
    that the pipeline dead-letters it and the counts still add up.

    Raises:
        ConfigurationError: two columns have the same name.
    """
    taken: list[str] = []
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    head = text.readline(LONGEST_LINE)
    if not head.strip():
        return
    delimiter = max(_DELIMITERS, key=head.count)
    csv.field_size_limit(LONGEST_CELL)
    rows = csv.reader(_remembering(head, text, taken), delimiter=delimiter)
    columns = _columns(next(rows), path)
    to_line, rest = compile_row(routes, name), compile_routes(routes)({})
    while True:
        line = rows.line_num + 1
        taken.clear()
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error:
            cells = None
        if cells == []:
            continue
        if cells is None or len(cells) > len(columns) or _broken(taken):
            raw = "".join(taken).rstrip("\r\n").encode("utf-8", "surrogateescape")
            yield SourceLine(rest, -1, raw, None, line)
        else:
            yield to_line({k: v for k, v in zip(columns, cells, strict=False) if v}, line)
    text.detach()


def _remembering(head: str, text: io.TextIOWrapper, taken: list[str]) -> Iterator[str]:
    """Lines one by one, each put into ``taken`` as well, until the reader clears it."""
    yield head
    readline = partial(text.readline, LONGEST_LINE)
    for line in iter(readline, ""):
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            rest = readline()
            while rest and not rest.endswith("\n"):
                rest = readline()
        taken.append(line)
        yield line


def _broken(lines: list[str]) -> bool:
    """Whether bytes that are no UTF-8 stand in the lines, as lone surrogates."""
    for line in lines:
        if not line.isascii():
            try:
                line.encode()
            except UnicodeEncodeError:
                return True
    return False


def _columns(head: list[str], path: str) -> list[str]:
    names = [cell.strip() or f"column_{place}" for place, cell in enumerate(head, start=1)]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"{path}:1: the column {name} stands there twice")
    return names
