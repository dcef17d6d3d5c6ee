"""A YAML file as a tree that knows where everything stands; only plain data is let in.

Tags, anchors, aliases, several documents, doubled keys and deep nesting are refused, so a
file can neither make objects nor grow when it is read.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec
import yaml

from streamwatch.errors import ConfigurationError

MAX_BYTES = 512 * 1024
MAX_DEPTH = 16
MAX_MESSAGE = 500
SHOWN_PROBLEMS = 25
_USERINFO = re.compile(r"://\S*@")
_SECRET_QUERY = re.compile(
    r"([?&;][^=&\s]*(?:password|passwd|secret|token|key)[^=&\s]*=)[^&\s]*", re.IGNORECASE
)


class Place(msgspec.Struct, frozen=True):
    """Where something stands; line and column count from 1, ``line`` 0 is no file at all."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Problem(msgspec.Struct, frozen=True):
    """Something to put right in a file."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class FileError(ConfigurationError):
    """A file has these problems; its text is one line for each, without secrets."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(Problem(one.place, _one_line(one.text)) for one in problems)
        lines = [str(problem) for problem in self.problems[:SHOWN_PROBLEMS]]
        more = len(self.problems) - SHOWN_PROBLEMS
        super().__init__("\n".join([*lines, f"… and {more} more"] if more > 0 else lines))


class Scalar(msgspec.Struct, frozen=True):
    """A single value as written; ``plain`` when it stands without quotes.

    ``source`` is what stands in the file for it, quotes and line breaks included.
    """

    text: str
    plain: bool
    place: Place
    source: str = ""

    @property
    def is_null(self) -> bool:
        """Whether it stands for no value."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


class Items(msgspec.Struct, frozen=True):
    """A list."""

    items: "tuple[Node, ...]"
    place: Place


class Entries(msgspec.Struct, frozen=True):
    """A mapping: key → place of the key, and the value."""

    entries: "dict[str, tuple[Place, Node]]"
    place: Place


Node = Scalar | Items | Entries


def place_within(scalar: Scalar, offset: int) -> Place:
    r"""Where a character of a value's text stands in the file.

    The text may be quoted, folded or indented, so both are walked along together: what is no
    blank stands in the same order in both.

    >>> lines = Scalar("height < x", plain=False, place=Place("t.yaml", 3, 9),
    ...                source=">-\n  height <\n    x\n")
    >>> str(place_within(lines, 9))
    't.yaml:5:5'
    """
    source, at = scalar.source, 0
    if source[:1] in ("|", ">"):
        at = source.find("\n") + 1
    elif not scalar.plain:
        at = 1
    wanted = [char for char in scalar.text[:offset] if not char.isspace()]
    for char in wanted:
        at = source.find(char, at) + 1
        if not at:
            return scalar.place
    if offset < len(scalar.text):
        at = max(source.find(scalar.text[offset], at), at)
    lines = source[:at].split("\n")
    if len(lines) == 1:
        return Place(scalar.place.file, scalar.place.line, scalar.place.column + at)
    return Place(scalar.place.file, scalar.place.line + len(lines) - 1, len(lines[-1]) + 1)


def without_secrets(text: str) -> str:
    """The text with passwords of addresses replaced.

    >>> without_secrets("postgresql://ann:hunter2@db/x?sslpassword=hunter2&connect_timeout=3")
    'postgresql://***@db/x?sslpassword=***&connect_timeout=3'
    """
    return _SECRET_QUERY.sub(r"\1***", _USERINFO.sub("://***@", text))


def _one_line(text: str) -> str:
    return without_secrets(" ".join(text.split()))[:MAX_MESSAGE]


def read_yaml(path: Path) -> Entries:
    """The file's top mapping; an empty file is an empty mapping.

    Raises:
        FileError: it cannot be read, is too large, no UTF-8, no YAML or no plain mapping.
    """
    start = Place(str(path), 1, 1)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError([Problem(start, f"cannot be read: {error.strerror}")]) from error
    if len(content) > MAX_BYTES:
        raise FileError([Problem(start, f"is larger than {MAX_BYTES // 1024} KiB")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError([Problem(Place(str(path), line, 1), "is not UTF-8 text")]) from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, file: str) -> Entries:
    """The top mapping of a YAML text; ``file`` is the name that messages give it.

    Raises:
        FileError: it is no YAML, or holds something else than plain data.
    """
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    try:
        node = _document(events, file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise FileError([Problem(place, f"is not YAML: {what}")]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = "is not YAML: a control character stands here"
        raise FileError([Problem(Place(file, line, 1), message)]) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        raise FileError([Problem(Place(file, 1, 1), "is not YAML")]) from None
    if isinstance(node, Scalar) and node.is_null:
        return Entries({}, node.place)
    if not isinstance(node, Entries):
        _refuse(node.place, "must hold `key: value` lines")
    return node


def _document(events: Iterator[yaml.Event], file: str) -> Node:
    found: Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if found is not None:
                _refuse(_place(event, file), "a second document begins; one file holds one")
            found = _node(events, next(events), file, 0)
    return found or Entries({}, Place(file, 1, 1))


def _node(events: Iterator[yaml.Event], event: yaml.Event, file: str, depth: int) -> Node:
    place = _place(event, file)
    _refuse_references(event, place)
    if depth > MAX_DEPTH:
        _refuse(place, f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(event, yaml.ScalarEvent):
        return Scalar(event.value, event.style is None, place, _source(event))
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            items.append(_node(events, inner, file, depth + 1))
        return Items(tuple(items), place)
    entries: dict[str, tuple[Place, Node]] = {}
    while not isinstance(inner := next(events), yaml.MappingEndEvent):
        key = _node(events, inner, file, depth + 1)
        if not isinstance(key, Scalar):
            _refuse(key.place, "a key must be a single word")
        if key.text in entries:
            first = entries[key.text][0].line
            _refuse(key.place, f"the key `{key.text}` stands twice; first on line {first}")
        entries[key.text] = (key.place, _node(events, next(events), file, depth + 1))
    return Entries(entries, place)


def _refuse_references(event: yaml.Event, place: Place) -> None:
    if isinstance(event, yaml.AliasEvent):
        _refuse(place, "aliases (`*name`) are not allowed; write the value out")
    if getattr(event, "anchor", None) is not None:
        _refuse(place, "anchors (`&name`) are not allowed")
    if getattr(event, "tag", None) is not None:
        _refuse(place, "tags (`!name`) are not allowed; write plain values")


def _place(event: yaml.Event, file: str) -> Place:
    mark = event.start_mark
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)


def _source(event: yaml.Event) -> str:
    begin, end = event.start_mark, event.end_mark
    if begin is None or end is None or begin.buffer is None:
        return ""
    return str(begin.buffer[begin.pointer : end.pointer])


def _refuse(place: Place, text: str) -> NoReturn:
    raise FileError([Problem(place, text)])
