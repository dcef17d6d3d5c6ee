"""What is told at once, at whatever minute of an hour: it is seen in what a flush adds."""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.sketch import bin_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000
SHOP = "shop-001"
TODAY = MONDAY + 20 * DAY_MS
A_FLUSH = 20
AT_MINUTE_50 = 50 * 60 * A_FLUSH


def cell_of(heights: "Iterable[float]", missing: int = 0) -> Cell:
    """The cell of records with these heights, and of some that lack it."""
    values = np.fromiter(heights, float)
    bins = dict(Counter(map(bin_of, values.tolist())))
    mean, m2 = (float(values.mean()), float(values.var() * len(values))) if len(values) else (0, 0)
    found = {"height": Moments(len(values), mean, m2, missing)}
    return Cell(
        count=len(values) + missing,
        numbers=found,
        sketches={"height": bins},
        stages={"decode": found, "normalise": found},
    )


def people(rng: np.random.Generator, n: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """What so many shoppers type."""
    return np.exp(rng.normal(np.log(170.0), 0.05, n))


def usual_days(company: "Company", rng: np.random.Generator, first: int = 0) -> None:
    """Those before today, all of a day in one flush."""
    for day in range(first, 20):
        start = MONDAY + day * DAY_MS
        cell = cell_of(people(rng, 300), missing=3)
        company.send(SHOP, start, 303, segments={ALL: cell})
        company.beat(start + DAY_MS + 2 * HOUR_MS)


def add(company: "Company", hour: Cell, more: Cell) -> None:
    """One more flush of an open hour."""
    hour.merge(more)
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(hour), type=Cell)
    company.send(SHOP, TODAY + 9 * HOUR_MS, hour.count, segments={ALL: copy})


@pytest.mark.parametrize("records", [A_FLUSH, 7])
def test_a_wrong_unit_that_begins_late_in_a_large_hour_is_told_with_its_first_flush(
    company: "Company", records: int
) -> None:
    rng = np.random.default_rng(1)
    usual_days(company, rng)
    hour = Cell()
    add(company, hour, cell_of(people(rng, AT_MINUTE_50)))
    for _ in range(5):
        add(company, hour, cell_of(people(rng, A_FLUSH)))
    assert not company.incidents
    add(company, hour, cell_of(people(rng, records) / 2.54))
    [incident] = company.incidents.values()
    assert (incident.key.kpi, incident.status, incident.direction) == ("mean.height", "open", "low")
    assert "inches" in incident.hypothesis
    assert incident.origin == "client"


def test_the_incident_tells_the_newest_records_not_the_hour(company: "Company") -> None:
    """The mean of all 60,000 is 0.03 cm off; what is wrong is the last 20."""
    rng = np.random.default_rng(6)
    usual_days(company, rng)
    hour = Cell()
    add(company, hour, cell_of(people(rng, AT_MINUTE_50)))
    add(company, hour, cell_of(people(rng, A_FLUSH) / 2.54))
    [incident] = company.incidents.values()
    assert incident.value == pytest.approx(67, abs=2)
    assert incident.lower is not None
    assert incident.lower > 150
    assert f"{A_FLUSH} of {A_FLUSH} records look like inches" in incident.reason


def test_the_first_records_of_a_day_are_told_with_their_number(company: "Company") -> None:
    """Of fewer than ten people nothing may be told but the distance, so ten are waited for."""
    rng = np.random.default_rng(8)
    usual_days(company, rng)
    hour = Cell()
    for _ in range(4):
        add(company, hour, cell_of(people(rng, 3) / 2.54))
    [incident] = company.incidents.values()
    assert incident.value == pytest.approx(67, abs=3)
    assert "of 12 records" in incident.reason


def test_one_record_a_flush_is_enough_after_some_of_them(company: "Company") -> None:
    """The hour's number is told, for one record has hardly a band, and is a person's own."""
    rng = np.random.default_rng(2)
    usual_days(company, rng)
    hour = Cell()
    add(company, hour, cell_of(people(rng, AT_MINUTE_50)))
    for _ in range(7):
        add(company, hour, cell_of(people(rng, 1) / 2.54))
    [incident] = company.incidents.values()
    assert "the newest records look like inches" in incident.reason
    assert incident.value == pytest.approx(170, abs=1)
    assert incident.origin == "client"


def test_a_shop_that_is_new_has_no_normal_to_be_outside_of(company: "Company") -> None:
    rng = np.random.default_rng(9)
    usual_days(company, rng, first=12)
    hour = Cell()
    add(company, hour, cell_of(people(rng, 300)))
    add(company, hour, cell_of(people(rng, A_FLUSH) / 2.54))
    assert not company.incidents
    assert {one.state for one in company.verdicts if one.key.kpi == "mean.height"} == {"warming"}


def test_a_few_who_type_inches_are_no_alarm(company: "Company") -> None:
    rng = np.random.default_rng(3)
    usual_days(company, rng)
    hour = Cell()
    add(company, hour, cell_of(people(rng, AT_MINUTE_50)))
    for _ in range(100):
        heights = people(rng, A_FLUSH)
        heights[rng.random(A_FLUSH) < 0.002] /= 2.54
        add(company, hour, cell_of(heights))
    assert not company.incidents


def test_a_shopper_who_types_inches_a_few_times_is_no_alarm(company: "Company") -> None:
    rng = np.random.default_rng(7)
    usual_days(company, rng)
    hour = Cell()
    add(company, hour, cell_of(people(rng, 10 * A_FLUSH)))
    add(company, hour, cell_of(people(rng, 4) / 2.54))
    add(company, hour, cell_of(people(rng, 10 * A_FLUSH)))
    assert not company.incidents


def test_what_lacks_late_in_a_large_hour_has_the_origin_of_the_newest_records(
    company: "Company",
) -> None:
    rng = np.random.default_rng(4)
    usual_days(company, rng)
    hour = Cell()
    add(company, hour, cell_of(people(rng, AT_MINUTE_50), missing=500))
    add(company, hour, cell_of([], missing=A_FLUSH))
    [incident] = company.incidents.values()
    assert (incident.key.kpi, incident.origin) == ("missing.height", "client")


def test_an_hour_that_a_restart_cut_in_two_is_told_in_the_same_way(company: "Company") -> None:
    rng = np.random.default_rng(5)
    usual_days(company, rng)
    hour = Cell()
    add(company, hour, cell_of(people(rng, AT_MINUTE_50)))
    add(company, hour, cell_of(people(rng, 4) / 2.54))
    company.restart()
    assert not company.incidents
    add(company, hour, cell_of(people(rng, 3) / 2.54))
    [incident] = company.incidents.values()
    assert "inches" in incident.hypothesis
