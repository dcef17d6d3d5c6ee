"""What a batch of records comes to: the same as counting them one by one."""

import math
from typing import Any

import pytest

from streamwatch.domain.cells import ALL, Cell, Cells, Moments
from streamwatch.domain.events import PURCHASE, WIDGET_EVENT, Purchase, WidgetEvent
from streamwatch.domain.sketch import bin_of
from streamwatch.stages.aggregate import LONGEST_KIND, aggregate
from streamwatch.stages.batch import Batch

PLACE = ("s", 0)


def whole(cells: Cells) -> Cell:
    """The cell of the whole shop."""
    cell = cells[ALL]
    assert isinstance(cell, Cell)
    return cell


def purchases(*given: tuple[float | None, str | None], refused: Any = ()) -> Cells:
    batch = Batch(PURCHASE)
    place = batch.place(*PLACE)
    for price, currency in given:
        event = Purchase("a", "s", None, quantity=1.0, price=price, currency=currency)
        batch.count(place, 5, (1.0, price), event)
    for price, currency in refused:
        event = Purchase("a", "s", None, quantity=1.0, price=price, currency=currency)
        batch.drop(place, 5, (1.0, price), event, 1, "normalise/unknown-currency/currency")
    return aggregate(batch, PURCHASE, ())[PLACE]


def test_currencies_are_kept_apart() -> None:
    cell = whole(purchases((10.0, "EUR"), (30.0, "EUR"), (7.0, "USD"), (None, "USD"), (1.0, None)))
    assert cell.numbers["price.EUR"] == Moments(2, 20.0, 200.0, 0)
    assert cell.numbers["price.USD"] == Moments(1, 7.0, 0.0, 1)
    assert cell.numbers["price.NONE"] == Moments(1, 1.0, 0.0, 0)
    assert "price" not in cell.numbers


def test_a_refused_currency_stands_in_the_stages_that_it_passed() -> None:
    cell = whole(purchases((10.0, "EUR"), refused=[(99.0, "jpy")]))
    assert cell.stages["validate"]["price.JPY"] == Moments(1, 99.0, 0.0, 0)
    assert "price.JPY" not in cell.numbers
    assert "price.JPY" not in cell.stages["segment"]
    assert cell.rejects == {"normalise/unknown-currency/currency": 1}


def test_a_currency_of_any_length_costs_no_more_than_a_short_one() -> None:
    cell = whole(purchases((10.0, "EUR"), refused=[(1.0, "x" * 1_000_000), (3.0, "y" * 13)]))
    assert cell.stages["decode"]["price.OTHER"].n == 2
    assert all(len(name) <= LONGEST_KIND + len("price.") for name in cell.stages["decode"])


def test_what_normalise_changed_is_told_from_what_it_left() -> None:
    batch = Batch(WIDGET_EVENT)
    place = batch.place(*PLACE)
    for declared, after in ((70.0 * 2.54, 177.8), (170.0, 160.0), (None, 3.0), (3.0, None)):
        event = WidgetEvent("a", "s", height=after)
        batch.count(place, 5, (declared, None, None), event)
    cell = whole(aggregate(batch, WIDGET_EVENT, ("gender",))[PLACE])
    assert cell.transitions["normalise"]["height"].changed == 1
    assert cell.transitions["normalise"]["height"].sum_change == pytest.approx(-10)


def test_a_record_without_a_label_belongs_to_no_segment_of_it() -> None:
    batch = Batch(WIDGET_EVENT)
    place = batch.place(*PLACE)
    for gender in ("female", None, "female", "male", ""):
        event = WidgetEvent("a", "s", gender=gender, height=170.0)
        batch.count(place, 5, (170.0, None, None), event)
    cells = aggregate(batch, WIDGET_EVENT, ("gender",))[PLACE]
    assert {name: cell.count for name, cell in cells.items()} == {
        ALL: 5, "gender=female": 2, "gender=male": 1,
    }  # fmt: skip
    assert whole(cells).labels["gender"] == {"female": 2, "male": 1, "": 2}


@pytest.mark.parametrize("value", [-5.0, 0.0, 5e-324, 1e-9, 170.0, 1e12])
def test_a_sketch_holds_every_finite_value(value: float) -> None:
    batch = Batch(WIDGET_EVENT)
    event = WidgetEvent("a", "s", height=value)
    batch.count(batch.place(*PLACE), 5, (value, None, None), event)
    sketch = whole(aggregate(batch, WIDGET_EVENT, ())[PLACE]).sketches["height"]
    assert sketch == {bin_of(value): 1}


def test_a_batch_of_rejects_alone_has_no_records() -> None:
    batch = Batch(WIDGET_EVENT)
    batch.reject(batch.place(*PLACE), "decode/wrong-type/height", 7)
    cell = whole(aggregate(batch, WIDGET_EVENT, ("gender",))[PLACE])
    assert (cell.count, cell.rejects) == (0, {"decode/wrong-type/height": 1})
    assert (cell.first_arrival, cell.last_arrival) == (7, 7)


def test_many_values_of_a_segment_in_many_places_stay_cheap() -> None:
    batch = Batch(WIDGET_EVENT)
    for number in range(3_000):
        place = batch.place("s", number * 3_600_000)
        event = WidgetEvent("a", "s", category=f"c{number}", height=1.0)
        batch.count(place, 5, (1.0, None, None), event)
    cells = aggregate(batch, WIDGET_EVENT, ("category",))
    assert all(len(found) == 2 for found in cells.values())
    assert math.fsum(found[ALL].count for found in cells.values()) == 3_000
