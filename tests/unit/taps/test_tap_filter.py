"""A filter takes an event when all of its conditions hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.events import PURCHASE, WIDGET_EVENT, Purchase, WidgetEvent
from streamwatch.domain.tap_settings import Filter
from streamwatch.taps.filter import compile_filter

EVENT = WidgetEvent("a", "shop-001", height=180.0, gender="female", app_version="5.0.0")


@pytest.mark.parametrize(
    ("filter_", "taken"),
    [
        (Filter(), True),
        (Filter(shops=("shop-001", "shop-002")), True),
        (Filter(shops=("shop-002",)), False),
        (Filter(equals={"app_version": "5.0.0"}), True),
        (Filter(equals={"app_version": "5.0"}), False),
        (Filter(equals={"height": "180"}), True),
        (Filter(equals={"category": "shoes"}), False),
        (Filter(ranges={"height": (180, 250)}), True),
        (Filter(ranges={"height": (100, 180)}), True),
        (Filter(ranges={"height": (181, 250)}), False),
        (Filter(ranges={"weight": (0, 1000)}), False),
        (Filter(("shop-001",), {"gender": "female"}, {"height": (100, 200)}), True),
        (Filter(("shop-001",), {"gender": "male"}, {"height": (100, 200)}), False),
        (Filter(("shop-001",), {"gender": "female"}, {"height": (1, 2)}), False),
    ],
)
def test_an_event_is_taken_when_every_condition_holds(filter_: Filter, taken: bool) -> None:
    assert compile_filter(filter_, WIDGET_EVENT)(EVENT) is taken


@given(
    quantity=st.none() | st.floats(allow_nan=False),
    size=st.sampled_from([None, "S", "M"]),
    low=st.floats(-10, 10),
    high=st.floats(-10, 10),
)
def test_conditions_are_joined_by_and(
    quantity: float | None, size: str | None, low: float, high: float
) -> None:
    event = Purchase("a", "s", quantity=quantity, size=size)
    both = compile_filter(Filter(equals={"size": "S"}, ranges={"quantity": (low, high)}), PURCHASE)
    first = compile_filter(Filter(equals={"size": "S"}), PURCHASE)
    second = compile_filter(Filter(ranges={"quantity": (low, high)}), PURCHASE)
    assert both(event) == (first(event) and second(event))
