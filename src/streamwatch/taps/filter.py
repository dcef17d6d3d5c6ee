"""Which records a tap takes: its filter, compiled once into closures."""

from operator import attrgetter

from streamwatch.domain.events import EventType
from streamwatch.domain.tap_settings import Filter
from streamwatch.taps.condition import Condition, compile_node
from streamwatch.taps.expression import Fields, parse


def compile_filter(filter_: Filter, event_type: EventType) -> Condition:
    """A function that says whether a tap takes an event: all conditions of the filter hold.

    The event is any object with the event type's fields as attributes. A field without a
    value meets no condition about it. Numbers are compared as numbers.

    Raises:
        ValueError: a numeric field should equal something that is no number, or the
            expression is wrong.

    >>> from streamwatch.domain.events import WIDGET_EVENT, WidgetEvent
    >>> tall = compile_filter(Filter(ranges={"height": (190, 250)}), WIDGET_EVENT)
    >>> tall(WidgetEvent("a", "shop-001", height=195.0)), tall(WidgetEvent("b", "shop-001"))
    (True, False)
    """
    conditions: list[Condition] = []
    if filter_.shops:
        conditions.append(_one_of("shop", frozenset(filter_.shops)))
    for field, value in filter_.equals.items():
        wanted = float(value) if field in event_type.numbers else value
        conditions.append(_one_of(field, frozenset((wanted,))))
    for field, (low, high) in filter_.ranges.items():
        conditions.append(_between(field, low, high))
    if filter_.expression:
        conditions.append(compile_node(parse(filter_.expression, filter_fields(event_type))))
    if not conditions:
        return _everything
    return conditions[0] if len(conditions) == 1 else _all_of(tuple(conditions))


def filter_fields(event_type: EventType) -> Fields:
    """What a filter of an event type may ask about: all but the time and the person."""
    texts = set(event_type.event.__struct_fields__) - {*event_type.numbers, "time"}
    return Fields(
        numbers=frozenset(event_type.numbers),
        texts=frozenset(texts),
        refused={
            "shopper": "a filter by person is not possible: `shopper` is never written",
            "time": "a filter cannot ask for the time; ask for `occurred_at` in SQL",
        },
    )


def _everything(event: object) -> bool:  # noqa: ARG001
    return True


def _one_of(field: str, values: frozenset[object]) -> Condition:
    get = attrgetter(field)
    return lambda event: get(event) in values


def _between(field: str, low: float, high: float) -> Condition:
    get = attrgetter(field)

    def holds(event: object) -> bool:
        value = get(event)
        return value is not None and low <= value <= high

    return holds


def _all_of(conditions: tuple[Condition, ...]) -> Condition:
    def holds(event: object) -> bool:
        for condition in conditions:  # noqa: SIM110  # a generator costs as much as the checks
            if not condition(event):
                return False
        return True

    return holds
