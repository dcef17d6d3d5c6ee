"""A small shop has a record or two an hour: what they show together is told within the day."""

from typing import TYPE_CHECKING

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000
SHOP = "shop-001"


def records(company: "Company", day: int, hour: int, *, missing: bool = False) -> None:
    """Two records in an hour; where it is missing, without their height."""
    found = {"height": Moments(0, 0.0, 0.0, 2) if missing else Moments(2, 170.0, 50.0, 0)}
    start = MONDAY + day * DAY_MS + hour * HOUR_MS
    cell = Cell(count=2, numbers=found, stages={"decode": found, "normalise": found})
    company.send(SHOP, start, 2, segments={ALL: cell})
    company.beat(start + HOUR_MS)


def test_a_field_that_vanishes_in_a_small_shop_is_told_within_ten_records(
    company: "Company",
) -> None:
    for day in range(30):
        for hour in range(8, 22):
            records(company, day, hour)
        company.beat(MONDAY + (day + 1) * DAY_MS + 2 * HOUR_MS)
    assert not company.incidents
    for hour in range(8, 12):
        records(company, 30, hour)
    for number in range(5):
        assert not company.incidents or number >= 2
        records(company, 30, 12 + number, missing=True)
    [incident] = company.incidents.values()
    assert incident.key.kpi == "missing.height"
    assert incident.since == MONDAY + 30 * DAY_MS
    newest = [one for one in company.verdicts if one.key.kpi == "missing.height"][-1]
    assert newest.n >= 10
    assert "records of the day" in newest.reason
