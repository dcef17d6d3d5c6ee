"""normalise: one spelling and one unit for everything; heights in cm, weights in kg."""

from collections.abc import Callable

import msgspec

from streamwatch.domain.events import (
    Event,
    Purchase,
    ReceivedPurchase,
    ReceivedReturn,
    ReceivedWidgetEvent,
    Return,
    WidgetEvent,
)
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.validate import Validated

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


class Normalised(msgspec.Struct, frozen=True, gc=False):
    """A record in one spelling and one unit.

    Attributes:
        event: the event without the shopper.
        shopper: the last place where the identity stands.
        occurred: event time, milliseconds since 1970 UTC.
        marks: as in `Validated`.
    """

    event: Event
    shopper: str | None
    occurred: int
    marks: tuple[str, ...]


Normalise = Callable[[Validated], Normalised | Refusal]


def compile_normalise(currencies: frozenset[str]) -> Normalise:
    """The normalise stage; refuses units it does not know, and any other currency.

    >>> record = ReceivedWidgetEvent("a", "s", height=70.0, height_unit="in", gender=" F ")
    >>> normalised = compile_normalise(frozenset())(Validated(record, 0, ()))
    >>> normalised.event.height, normalised.event.height_unit, normalised.event.gender
    (177.8, 'cm', 'female')
    """

    def normalise(valid: Validated) -> Normalised | Refusal:
        record = valid.record
        event: Event | Refusal
        if isinstance(record, ReceivedWidgetEvent):
            event = _widget_event(record)
        elif isinstance(record, ReceivedPurchase):
            event = _purchase(record, currencies)
        else:
            event = _return(record)
        if isinstance(event, Refusal):
            return event
        return Normalised(event, record.shopper, valid.occurred, valid.marks)

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
        _label(record.category),
        _gender(record.gender),
        height,
        None if height is None else "cm",
        weight,
        None if weight is None else "kg",
        record.age,
        _size(record.recommended_size),
        _label(record.fit_preference),
        record.app_version,
    )


def _purchase(record: ReceivedPurchase, currencies: frozenset[str]) -> Event | Refusal:
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
        _label(record.category),
        _gender(record.gender),
        _size(record.size),
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
        _label(record.category),
        _gender(record.gender),
        _size(record.size),
        record.quantity,
        _label(record.reason),
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
