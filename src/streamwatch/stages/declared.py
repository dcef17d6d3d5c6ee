"""What a record declares its measures to be, in cm and kg, by the record's own unit field.

This table is not the one that `normalise` converts with, on purpose: stage statistics before
`normalise` are counted with it, so a client that mislabels its units shifts from `decode` on,
while a broken conversion of ours shifts from `normalise` on.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from streamwatch.domain.events import EventType, Received

Numbers = tuple[float | None, ...]
"""The numeric features of an event type, in `EventType.numbers` order."""

IN_CM = {"cm": 1.0, "mm": 0.1, "m": 100.0, "in": 2.54, "inch": 2.54, "inches": 2.54, "ft": 30.48}
IN_KG = {"kg": 1.0, "g": 0.001, "lb": 0.45359237, "lbs": 0.45359237, "st": 6.35029318}
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
    unit_names = tuple(event_type.units.get(name, "event_id") for name in event_type.numbers)
    units: Callable[[Any], tuple[str | None, ...]] = _tuple_of(unit_names)
    usual = tuple(_USUAL.get(name) for name in event_type.numbers)
    tables = tuple(_TABLES.get(name) for name in event_type.numbers)

    def declared(record: Received) -> Numbers:
        values = numbers(record)
        given = units(record)
        if all(u is None or g == u or g is None for u, g in zip(usual, given, strict=True)):
            return values
        return tuple(
            value if table is None or value is None else _converted(value, unit, table)
            for value, unit, table in zip(values, given, tables, strict=True)
        )

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
