"""Plots: what is drawn, whatever the numbers."""

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.adapters.web.plots import SMALL, Departure, Point, nice_ticks, plot, value_range

DAY = 86_400_000
numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True)


def drawn(points: list[Point], departure: Departure | None = None, unit: str = "") -> ET.Element:
    text = plot(points, label="a <b> & c", span="day", departure=departure, unit=unit)
    return ET.fromstring(text)  # noqa: S314  our own text


def of_class(tree: ET.Element, name: str) -> list[ET.Element]:
    return [one for one in tree.iter() if name in one.get("class", "").split()]


def usual(count: int) -> list[Point]:
    return [Point(day * DAY, 10.0, 10.0, 8.0, 12.0, "usual") for day in range(count)]


def test_a_kpi_is_drawn_with_band_values_and_departure() -> None:
    points = [*usual(5), Point(5 * DAY, 2.0, 10.0, 8.0, 12.0, "unusual")]
    tree = drawn(points, Departure(5 * DAY, None), "cm")
    assert len(of_class(tree, "band")) == 1
    assert len(of_class(tree, "dot")) == 6
    (worst,) = of_class(tree, "unusual")
    assert worst[0].text == "Tue 1970-01-06: 2 cm, expected 8 to 12 cm, unusual"
    (marked,) = of_class(tree, "departure")
    assert float(marked.get("width", "0")) > 50
    assert tree.get("aria-label") == "a <b> & c"


def test_a_gap_breaks_the_line_and_the_band() -> None:
    points = [point for point in usual(9) if point.at not in (3 * DAY, 4 * DAY)]
    tree = drawn(points)
    assert len(of_class(tree, "value")) == 2
    assert len(of_class(tree, "band")) == 2


def test_a_day_of_25_hours_is_no_gap() -> None:
    points = [Point(0, 1.0), Point(DAY + 3_600_000, 1.0), Point(2 * DAY + 3_600_000, 1.0)]
    assert len(of_class(drawn(points), "value")) == 1


def test_while_learning_there_is_no_band() -> None:
    tree = drawn([Point(day * DAY, 5.0, state="warming") for day in range(4)])
    assert of_class(tree, "band") == []
    assert len(of_class(tree, "warming")) == 4


def test_nothing_to_draw_is_said() -> None:
    assert "No readings" in plot([], label="x", span="day")


def test_shares_are_in_percent() -> None:
    tree = drawn([Point(0, 0.25), Point(DAY, 0.5)], unit="%")
    assert any((one.text or "").endswith("%") for one in of_class(tree, "tick"))


@given(
    st.lists(st.tuples(st.integers(0, 10**14), numbers, numbers, numbers, numbers), max_size=30),
    st.sampled_from(["day", "hour"]),
)
def test_any_numbers_make_a_well_formed_plot_inside_its_frame(
    rows: list[tuple[int, float | None, float | None, float | None, float | None]], span: str
) -> None:
    rows.sort(key=lambda row: row[0])
    points = [Point(*row, "unusual") for row in rows]
    text = plot(points, label="x", span="hour" if span == "hour" else "day", frame=SMALL)
    tree = ET.fromstring(text)  # noqa: S314  our own text
    assert "nan" not in text.replace("nan</", "")
    for one in tree.iter():
        for name in ("cx", "cy", "x1", "y1"):
            if name in one.attrib:
                assert -50 <= float(one.attrib[name]) <= 500


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12), st.integers(1, 8))
def test_ticks_enclose_the_numbers_and_are_few(low: float, apart: float, about: int) -> None:
    ticks = list(nice_ticks(low, low + apart, about))
    assert all(map(math.isfinite, ticks))
    if apart > 1e-6 * abs(low):
        assert ticks[0] <= low + 1e-6 * apart
        assert ticks[-1] >= low + apart - 1e-6 * apart
        assert 2 <= len(ticks) <= about + 3


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, 1e99])
def test_equal_numbers_have_room_around_them(value: float) -> None:
    low, high = value_range([Point(0, value), Point(1, value)])
    assert low < value < high
