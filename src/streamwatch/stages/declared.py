"""What a record declares its measures to be, in cm and kg, by the record's own unit field.

This table is not the one that `normalise` converts with, on purpose: stage statistics before
`normalise` are counted with it, so a client that mislabels its units shifts from `decode` on,
while a broken conversion of ours shifts from `normalise` on.
"""

from collections.abc import Callable
from itertools import product
from operator import attrgetter
from typing import Any

from streamwatch.domain.events import EventType, Received

Numbers = tuple[float | None, ...]
"""The numeric features of an event type, in `EventType.numbers` order."""

_CM_SPELLINGS = {
    1.0: "cm cms centimetre centimetres centimeter centimeters",
    0.1: "mm mms millimetre millimetres millimeter millimeters",
    100.0: "m metre metres meter meters",
    2.54: 'in ins inch inches "',
    30.48: "ft foot feet '",
}
_KG_SPELLINGS = {
    1.0: "kg kgs kilo kilos kilogram kilograms",
    0.001: "g gram grams",
    0.45359237: "lb lbs pound pounds",
    6.35029318: "st stone stones",
}
IN_CM = {name: factor for factor, names in _CM_SPELLINGS.items() for name in names.split()}
IN_KG = {name: factor for factor, names in _KG_SPELLINGS.items() for name in names.split()}
_TABLES = {"height": IN_CM, "weight": IN_KG}


def compile_declared(event_type: EventType) -> Callable[[Received], Numbers]:
    """A function that reads the declared numbers of a record; an unknown unit gives ``None``.

    >>> from streamwatch.domain.events import WIDGET_EVENT, ReceivedWidgetEvent
    >>> declared = compile_declared(WIDGET_EVENT)
    >>> declared(ReceivedWidgetEvent("a", "s", height=70, height_unit="in", age=30))
    (177.8, None, 30)
    """
    numbers: Callable[[Any], Numbers] = _tuple_of(event_type.numbers)
    if not event_type.units:
        return numbers
    units: Callable[[Any], tuple[str | None, ...]] = _tuple_of(tuple(event_type.units.values()))
    usual = frozenset(product(*((None, _USUAL[name]) for name in event_type.units)))
    tables = [
        (event_type.numbers.index(name), _TABLES[name], which)
        for which, name in enumerate(event_type.units)
    ]

    def declared(record: Received) -> Numbers:
        given = units(record)
        if given in usual:
            return numbers(record)
        values = list(numbers(record))
        for place, table, which in tables:
            value = values[place]
            if value is not None:
                values[place] = _converted(value, given[which], table)
        return tuple(values)

    return declared


_USUAL = {"height": "cm", "weight": "kg"}


def _converted(value: float, unit: str | None, table: dict[str, float]) -> float | None:
    if unit is None:
        return value
    factor = table.get(unit) or table.get(unit.strip().lower().rstrip("."))
    return None if factor is None else value * factor


def _tuple_of(names: tuple[str, ...]) -> Callable[[Any], Any]:
    getter = attrgetter(*names)
    return getter if len(names) > 1 else lambda event: (getter(event),)
