"""Routes: which topic a line of a foreign file belongs to, and an id for lines without one."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from streamwatch.adapters.yaml.located import (
    Entries,
    FileError,
    Items,
    Node,
    Problem,
    Scalar,
    read_yaml,
)
from streamwatch.domain.findings import did_you_mean

Row = Mapping[str, Any]


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One route; the first that matches a line wins.

    Attributes:
        topic: where the line goes.
        field: the column or key that decides; ``None`` takes every line.
        pattern: a regular expression that the field's whole text must match.
    """

    topic: str
    field: str | None = None
    pattern: str | None = None


class Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A routes file.

    Attributes:
        routes: in their order; the last one takes every line that is left.
        line_id: key that gets ``<file>:<line>`` in each row that lacks it; ``None`` for none.
    """

    routes: tuple[Route, ...]
    line_id: str | None = None


def to_topic(topic: str) -> Routes:
    """The routes of a file whose lines all belong to one topic."""
    return Routes((Route(topic),))


def compile_routes(routes: Routes) -> Callable[[Row], str]:
    """The function that names a row's topic.

    >>> topic_of = compile_routes(Routes((Route("return", "InvoiceNo", "C.*"), Route("purchase"))))
    >>> topic_of({"InvoiceNo": "C536379"}), topic_of({"InvoiceNo": "536365"}), topic_of({})
    ('return', 'purchase', 'purchase')
    """
    *chosen, rest = routes.routes
    tests = [(r.field or "", re.compile(r.pattern or ""), r.topic) for r in chosen]

    def topic_of(row: Row) -> str:
        for field, pattern, topic in tests:
            text = row.get(field)
            if text is not None and pattern.fullmatch(str(text)):
                return topic
        return rest.topic

    return topic_of


def load_routes(path: str) -> Routes:
    """Read and check a routes file (YAML).

    Raises:
        ConfigurationError: the file is missing or wrong; the text names file and line.
    """
    tree = read_yaml(Path(path))
    _know_only(tree, ("routes", "line_id"))
    node = tree.entries.get("routes", (None, None))[1]
    if not isinstance(node, Items) or not node.items:
        raise _wrong(tree if node is None else node, "routes must be a list of topics")
    routes = [_route(item) for item in node.items]
    if routes[-1].field is not None:
        raise _wrong(
            node.items[-1], "the last route must name a topic only, so that every line has one"
        )
    for item, route in zip(node.items[:-1], routes[:-1], strict=True):
        if route.field is None:
            raise _wrong(item, "this route takes every line: put it last")
    return Routes(tuple(routes), _text(tree, "line_id"))


def _route(node: Node) -> Route:
    if not isinstance(node, Entries):
        raise _wrong(node, "a route is written {topic: NAME, field: COLUMN, pattern: TEXT}")
    _know_only(node, Route.__struct_fields__)
    topic, field, pattern = (_text(node, key) for key in Route.__struct_fields__)
    if not topic:
        raise _wrong(node, "the route lacks its topic")
    if (field is None) != (pattern is None):
        raise _wrong(node, "a route needs both field and pattern, or neither")
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise _wrong(node, f"the pattern is no regular expression: {error}") from error
    return Route(topic, field, pattern)


def _know_only(tree: Entries, names: tuple[str, ...]) -> None:
    for key, (place, _) in tree.entries.items():
        if key not in names:
            raise FileError([Problem(place, f"unknown key `{key}`{did_you_mean(key, names)}")])


def _text(tree: Entries, key: str) -> str | None:
    found = tree.entries.get(key)
    if found is None:
        return None
    if not isinstance(found[1], Scalar):
        raise _wrong(found[1], f"{key} must be a single value")
    return None if found[1].is_null else found[1].text


def _wrong(node: Node, text: str) -> FileError:
    return FileError([Problem(node.place, text)])
