"""Files in: JSON lines, CSV and Parquet, plain or gzipped, or standard input."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from streamwatch.adapters.files.csv_rows import read_csv
from streamwatch.adapters.files.json_lines import read_json_lines
from streamwatch.adapters.files.opening import STANDARD_INPUT, name_of, open_bytes
from streamwatch.adapters.files.parquet_rows import read_parquet
from streamwatch.adapters.files.routes import Routes, to_topic
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.errors import ConfigurationError

Format = Literal["auto", "jsonl", "csv", "parquet"]
FORMATS: tuple[str, ...] = get_args(Format)

_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def read_file(
    path: str,
    *,
    form: Format = "auto",
    topic: str | None = None,
    routes: Routes | None = None,
    otherwise: str | None = None,
) -> Iterator[SourceLine]:
    """The lines of a file, one after another; nothing is judged here.

    Args:
        path: a file, or ``-`` for standard input.
        form: ``auto`` tells it by the name's ending, else by the first bytes.
        topic: the topic of every line; overrules routes, and the topic in an envelope.
        routes: the topic by the content of each line, for foreign files.
        otherwise: the topic of lines that name none, where there are neither topic nor routes.

    Raises:
        ConfigurationError: the file cannot be read or understood, or names no topic.
    """
    if topic is not None:
        line_id = None if routes is None else routes.line_id
        routes = Routes(to_topic(topic).routes, line_id)
    with open_bytes(path) as stream:
        chosen = _form_of(path, stream) if form == "auto" else form
        if chosen == "jsonl":
            yield from read_json_lines(stream, path, routes, name_of(path), otherwise)
            return
        if routes is None and otherwise is not None:
            routes = to_topic(otherwise)
        if routes is None:
            raise ConfigurationError(
                f"{path}: a {chosen} file names no topic: add --topic NAME or --routes FILE"
            )
        if chosen == "csv":
            yield from read_csv(stream, path, routes, name_of(path))
            return
    if path == STANDARD_INPUT or Path(path).suffix == ".gz":
        raise ConfigurationError(f"{path}: Parquet is read from an unpacked file only")
    yield from read_parquet(path, routes, name_of(path))


def _form_of(path: str, stream: io.BufferedReader) -> Format:
    named = Path(path)
    if named.suffix == ".gz":
        named = named.with_suffix("")
    known = _SUFFIXES.get(named.suffix.lower())
    if known is not None:
        return known
    start = stream.peek(4).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PAR1"):
        return "parquet"
    if path == STANDARD_INPUT or not start or start.startswith(b"{"):
        return "jsonl"
    raise ConfigurationError(
        f"{path}: neither name nor content tells the format: add --format jsonl, csv or parquet"
    )
