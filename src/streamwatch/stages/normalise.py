"""normalise: one spelling and one unit for everything; heights in cm, weights in kg."""

from collections.abc import Callable
from functools import partial
from typing import Any

from streamwatch.domain.events import (
    Event,
    EventType,
    Purchase,
    Received,
    ReceivedPurchase,
    ReceivedReturn,
    ReceivedWidgetEvent,
    Return,
    WidgetEvent,
)
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.remembered import Remembered
from streamwatch.stages.underway import Stage, Underway

CENTIMETRES_PER = {"cm": 1.0, "m": 100.0, "mm": 0.1, "in": 2.54, "ft": 30.48}
KILOGRAMS_PER = {"kg": 1.0, "g": 1e-3, "lb": 0.45359237, "st": 6.35029318}
_UNIT_NAMES = {
    "cms": "cm", "centimetre": "cm", "centimetres": "cm", "centimeter": "cm", "centimeters": "cm",
    "mms": "mm", "millimetre": "mm", "millimetres": "mm", "millimeter": "mm", "millimeters": "mm",
    "metre": "m", "metres": "m", "meter": "m", "meters": "m",
    "ins": "in", "inch": "in", "inches": "in", '"': "in", "foot": "ft", "feet": "ft", "'": "ft",
    "kgs": "kg", "kilo": "kg", "kilos": "kg", "kilogram": "kg", "kilograms": "kg",
    "gram": "g", "grams": "g", "lbs": "lb", "pound": "lb", "pounds": "lb",
    "stone": "st", "stones": "st",
}  # fmt: skip
_GENDERS = {
    "f": "female", "w": "female", "woman": "female", "women": "female", "female": "female",
    "m": "male", "man": "male", "men": "male", "male": "male",
    "d": "diverse", "x": "diverse", "diverse": "diverse", "unisex": "unisex", "u": "unisex",
}  # fmt: skip


def compile_normalise(event_type: EventType, currencies: frozenset[str]) -> Stage:
    """The normalise stage; refuses units it does not know, and any other currency.

    It makes another `Underway.event`, without the shopper, and sets the shopper beside it.

    >>> from streamwatch.domain.events import WIDGET_EVENT
    >>> given = ReceivedWidgetEvent("a", "s", height=70.0, height_unit="in", gender=" F ")
    >>> record = Underway({}).set_out(given, (177.8, None, None), 0)
    >>> compile_normalise(WIDGET_EVENT, frozenset())(record)
    >>> record.event.height, record.event.height_unit, record.event.gender
    (177.8, 'cm', 'female')
    """
    of_type: dict[type[Received], Callable[[Any], Event | Refusal]] = {
        ReceivedWidgetEvent: _widget_event,
        ReceivedPurchase: partial(_purchase, currencies),
        ReceivedReturn: _return,
    }
    rewritten = of_type[event_type.received]

    def normalise(record: Underway) -> Refusal | None:
        received: Any = record.event
        event = rewritten(received)
        if isinstance(event, Refusal):
            return event
        record.event = event
        record.shopper = received.shopper
        return None

    return normalise


def _widget_event(record: ReceivedWidgetEvent) -> Event | Refusal:
    height = record.height
    if height is not None and record.height_unit not in (None, "cm"):
        per = CENTIMETRES_PER.get(_unit(record.height_unit))
        if per is None:
            return Refusal("reject", "normalise", "unknown-unit", "height_unit")
        height *= per
    weight = record.weight
    if weight is not None and record.weight_unit not in (None, "kg"):
        per = KILOGRAMS_PER.get(_unit(record.weight_unit))
        if per is None:
            return Refusal("reject", "normalise", "unknown-unit", "weight_unit")
        weight *= per
    return WidgetEvent(
        record.event_id,
        record.shop,
        None,
        record.product,
        _LABEL_OF[record.category],
        _GENDER_OF[record.gender],
        height,
        None if height is None else "cm",
        weight,
        None if weight is None else "kg",
        record.age,
        _SIZE_OF[record.recommended_size],
        _LABEL_OF[record.fit_preference],
        record.app_version,
    )


def _purchase(currencies: frozenset[str], record: ReceivedPurchase) -> Event | Refusal:
    currency = record.currency
    if currency is not None and currency not in currencies:
        currency = currency.strip().upper()
        if currency not in currencies:
            return Refusal("reject", "normalise", "unknown-currency", "currency")
    return Purchase(
        record.event_id,
        record.shop,
        None,
        record.order_id,
        record.line,
        record.product,
        _LABEL_OF[record.category],
        _GENDER_OF[record.gender],
        _SIZE_OF[record.size],
        record.quantity,
        record.price,
        currency,
        record.app_version,
    )


def _return(record: ReceivedReturn) -> Event:
    return Return(
        record.event_id,
        record.shop,
        None,
        record.order_id,
        record.product,
        _LABEL_OF[record.category],
        _GENDER_OF[record.gender],
        _SIZE_OF[record.size],
        record.quantity,
        _LABEL_OF[record.reason],
        record.app_version,
    )


def _unit(text: str | None) -> str:
    name = (text or "").strip().lower().rstrip(".")
    return _UNIT_NAMES.get(name, name)


def _label(text: str | None) -> str | None:
    return text if text is None else (text.strip().lower() or None)


def _size(text: str | None) -> str | None:
    return text if text is None else (text.strip().upper() or None)


def _gender(text: str | None) -> str | None:
    if text is None:
        return None
    known = _GENDERS.get(text)
    if known is not None:
        return known
    name = text.strip().lower()
    return _GENDERS.get(name) or name or None


# Clients repeat themselves: each text is spelled out once.
_LABEL_OF = Remembered(_label)
_SIZE_OF = Remembered(_size)
_GENDER_OF = Remembered(_gender)
