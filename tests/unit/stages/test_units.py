"""Units: every spelling means the same to the declared numbers and to the conversion."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.events import (
    PURCHASE,
    WIDGET_EVENT,
    Event,
    EventType,
    Purchase,
    Received,
    ReceivedPurchase,
    ReceivedWidgetEvent,
    WidgetEvent,
)
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.declared import IN_CM, IN_KG, compile_declared
from streamwatch.stages.normalise import (
    _UNIT_NAMES,
    CENTIMETRES_PER,
    KILOGRAMS_PER,
    compile_normalise,
)
from streamwatch.stages.underway import Underway

declared = compile_declared(WIDGET_EVENT)
CURRENCIES = frozenset(("EUR", "USD"))

LENGTHS = {
    "cm": 1.0, "CM": 1.0, " cm. ": 1.0, "cms": 1.0, "centimetres": 1.0, "Centimeter": 1.0,
    "m": 100.0, "metre": 100.0, "Meters": 100.0, "mm": 0.1, "millimetres": 0.1,
    "in": 2.54, "IN.": 2.54, "ins": 2.54, "inch": 2.54, "inches": 2.54, '"': 2.54,
    "ft": 30.48, "foot": 30.48, "Feet": 30.48, "ft.": 30.48, "'": 30.48, None: 1.0,
}  # fmt: skip
WEIGHTS = {
    "kg": 1.0, "KG": 1.0, "kgs": 1.0, "kilo": 1.0, "kilos": 1.0, "Kilograms": 1.0,
    "g": 0.001, "gram": 0.001, "grams": 0.001, "lb": 0.45359237, "lbs": 0.45359237,
    "LBS.": 0.45359237, "pound": 0.45359237, "pounds": 0.45359237,
    "st": 6.35029318, "stone": 6.35029318, "stones": 6.35029318, None: 1.0,
}  # fmt: skip


def normalised(**fields: Any) -> WidgetEvent | Refusal:
    result = normalise(WIDGET_EVENT, ReceivedWidgetEvent("a", "s", **fields))
    assert isinstance(result, WidgetEvent | Refusal)
    return result


def normalise(event_type: EventType, received: Received) -> Event | Refusal:
    record = Underway({}).set_out(received, (), 0)
    refusal = compile_normalise(event_type, CURRENCIES)(record)
    return record.event if refusal is None else refusal


@pytest.mark.parametrize(("unit", "factor"), LENGTHS.items())
def test_a_length_becomes_centimetres(unit: str | None, factor: float) -> None:
    event = normalised(height=70.0, height_unit=unit)
    assert isinstance(event, WidgetEvent)
    assert event.height == pytest.approx(70.0 * factor)
    assert event.height_unit == "cm"


@pytest.mark.parametrize(("unit", "factor"), WEIGHTS.items())
def test_a_weight_becomes_kilograms(unit: str | None, factor: float) -> None:
    event = normalised(weight=70.0, weight_unit=unit)
    assert isinstance(event, WidgetEvent)
    assert event.weight == pytest.approx(70.0 * factor)
    assert event.weight_unit == "kg"


@given(
    height=st.floats(0, 1e6), weight=st.floats(0, 1e6),
    units=st.tuples(st.sampled_from(list(LENGTHS)), st.sampled_from(list(WEIGHTS))),
)  # fmt: skip
def test_what_is_declared_is_what_is_normalised(
    height: float, weight: float, units: tuple[str | None, str | None]
) -> None:
    record = ReceivedWidgetEvent(
        "a", "s", height=height, height_unit=units[0], weight=weight, weight_unit=units[1], age=30
    )
    event = normalise(WIDGET_EVENT, record)
    assert isinstance(event, WidgetEvent)
    assert declared(record) == pytest.approx((event.height, event.weight, event.age))


def test_both_tables_know_the_same_units() -> None:
    """They are apart on purpose, see `stages.declared`, but must know the same spellings."""
    assert IN_CM.keys() == {*CENTIMETRES_PER, *spellings(CENTIMETRES_PER)}
    assert IN_KG.keys() == {*KILOGRAMS_PER, *spellings(KILOGRAMS_PER)}


def spellings(units: dict[str, float]) -> set[str]:
    return {spelling for spelling, unit in _UNIT_NAMES.items() if unit in units}


@pytest.mark.parametrize("unit", ["furlong", "", "kg", "c m", "\uff43\uff4d", "ft+in"])
def test_an_unknown_unit_is_refused_and_declares_nothing(unit: str) -> None:
    refusal = normalised(height=70.0, height_unit=unit)
    assert refusal == Refusal("reject", "normalise", "unknown-unit", "height_unit")
    assert declared(ReceivedWidgetEvent("a", "s", height=70.0, height_unit=unit))[0] is None


def test_the_unit_of_a_measure_that_is_not_there_does_not_matter() -> None:
    event = normalised(height_unit="furlong", weight=3.0, weight_unit="lb")
    assert isinstance(event, WidgetEvent)
    assert (event.height, event.height_unit) == (None, None)


TEXTS = st.one_of(
    st.none(), st.text(max_size=8), st.sampled_from(["F", " w ", "Men", "X", "Kids "])
)


@given(
    texts=st.tuples(TEXTS, TEXTS, TEXTS, TEXTS),
    units=st.tuples(st.sampled_from(list(LENGTHS)), st.sampled_from(list(WEIGHTS))),
)
def test_normalising_twice_changes_nothing(
    texts: tuple[str | None, ...], units: tuple[str | None, str | None]
) -> None:
    category, gender, size, fit = texts
    once = normalised(
        category=category, gender=gender, recommended_size=size, fit_preference=fit,
        height=70.0, height_unit=units[0], weight=70.0, weight_unit=units[1],
    )  # fmt: skip
    assert isinstance(once, WidgetEvent)
    fields = {name: getattr(once, name) for name in WidgetEvent.__struct_fields__[2:]}
    assert normalised(**fields) == once


@pytest.mark.parametrize("currency", ["EUR", "eur", " Eur "])
def test_a_known_currency_has_one_spelling(currency: str) -> None:
    event = normalise(PURCHASE, ReceivedPurchase("a", "s", price=9.5, currency=currency))
    assert isinstance(event, Purchase)
    assert (event.price, event.currency) == (9.5, "EUR")


@pytest.mark.parametrize("currency", ["JPY", "", "euro"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    refusal = normalise(PURCHASE, ReceivedPurchase("a", "s", price=9.5, currency=currency))
    assert refusal == Refusal("reject", "normalise", "unknown-currency", "currency")
