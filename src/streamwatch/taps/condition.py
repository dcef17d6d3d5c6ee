"""A filter expression's tree as a function of an event."""

from collections.abc import Callable
from operator import attrgetter

from streamwatch.taps.expression import (
    COMPARISONS,
    Both,
    Comparison,
    Either,
    Field,
    Missing,
    Node,
    Not,
)

Condition = Callable[[object], bool]


def compile_node(node: Node) -> Condition:
    """A function of an event, made once.

    >>> from streamwatch.domain.events import WidgetEvent
    >>> from streamwatch.taps.expression import Fields, parse
    >>> fields = Fields(frozenset({"height"}), frozenset({"shop", "gender"}))
    >>> small = compile_node(parse("height < 100 and not gender is missing", fields))
    >>> small(WidgetEvent("a", "s", height=67.0, gender="f")), small(WidgetEvent("b", "s"))
    (True, False)
    """
    if isinstance(node, Both):
        return _both(tuple(map(compile_node, node.parts)))
    if isinstance(node, Either):
        return _either(tuple(map(compile_node, node.parts)))
    if isinstance(node, Not):
        part = compile_node(node.part)
        return lambda event: not part(event)
    if isinstance(node, Comparison):
        return _comparison(node)
    get = attrgetter(node.field.name)
    if isinstance(node, Missing):
        return (
            (lambda event: get(event) is not None)
            if node.negated
            else (lambda event: get(event) is None)
        )
    values = node.values
    if not node.negated:
        return lambda event: get(event) in values
    return lambda event: (value := get(event)) is not None and value not in values


def _both(parts: tuple[Condition, ...]) -> Condition:
    def holds(event: object) -> bool:
        for part in parts:  # noqa: SIM110  # a generator costs as much as the checks
            if not part(event):
                return False
        return True

    return holds


def _either(parts: tuple[Condition, ...]) -> Condition:
    def holds(event: object) -> bool:
        for part in parts:  # noqa: SIM110  # as above
            if part(event):
                return True
        return False

    return holds


def _comparison(node: Comparison) -> Condition:
    compare = COMPARISONS[node.sign]
    left, right = node.left, node.right
    if isinstance(left, Field) and isinstance(right, Field):
        get, get_other = attrgetter(left.name), attrgetter(right.name)

        def holds(event: object) -> bool:
            value, other = get(event), get_other(event)
            return value is not None and other is not None and compare(value, other)

        return holds
    if isinstance(left, Field):
        read, literal = attrgetter(left.name), right
        return lambda event: (value := read(event)) is not None and compare(value, literal)
    assert isinstance(right, Field)  # noqa: S101  # the parser refuses two literals
    read_right, known = attrgetter(right.name), left
    return lambda event: (value := read_right(event)) is not None and compare(known, value)
