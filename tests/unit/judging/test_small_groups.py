"""Body measures of few people stay in the tables; outside stands how far, not what."""

import random

import msgspec
import pytest
from tests.unit.judging.conftest import Company

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.messages import Partial
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.smallgroups import LEAST_GROUP, withheld
from streamwatch.domain.verdicts import Verdict

SHOP, START = "shop-001", 1_704_067_200_000
DAYS = 30
SMALL = 66.93


def day_of(company: Company, day: int, records: int, height: float | None) -> None:
    chance = random.Random(day)  # noqa: S311
    moments = Moments()
    for _ in range(records):
        moments += Moments(1, chance.gauss(170, 4) if height is None else height)
    hour = START + day * DAY_MS
    cell = Cell(count=records, numbers={"height": moments}, first_arrival=hour, last_arrival=hour)
    partial = Partial("widget-event", "widget-event", 0, SHOP, hour, company.offset, hour,
                      {ALL: cell})  # fmt: skip
    company.now = hour
    company.tell(msgspec.msgpack.encode(partial))
    company.beat(hour + DAY_MS + 6 * HOUR_MS)


@pytest.mark.parametrize("records", [LEAST_GROUP - 1, LEAST_GROUP])
def test_an_incident_tells_the_mean_of_enough_people_only(records: int) -> None:
    company = Company()
    for day in range(DAYS):
        day_of(company, day, records, None)
    for day in range(DAYS, DAYS + 4):
        day_of(company, day, records, SMALL)
    (incident,) = [one for one in company.incidents.values() if one.key.kpi == "mean.height"]
    stored = [one for one in company.verdicts if one.state == "unusual"]
    assert any(one.value == pytest.approx(SMALL) for one in stored)
    told = msgspec.json.encode(incident).decode()
    if records < LEAST_GROUP:
        assert incident.value == incident.lower
        assert "66.9" not in told
        assert "standard deviations" in incident.reason
    else:
        assert incident.value == pytest.approx(SMALL)


def verdict(kpi: str, n: int, value: float, expected: float | None = 170.0) -> Verdict:
    lower = None if expected is None else expected - 3
    upper = None if expected is None else expected + 3
    key = KpiKey(SHOP, "widget-event", kpi)
    return Verdict(key, 0, value, n, "usual", -1.0, expected, lower, upper, f"it is {value}")


@pytest.mark.parametrize(("value", "told"), [(120.0, 167.0), (171.0, 170.0), (190.0, 173.0)])
def test_the_edge_of_the_band_stands_for_what_is_beyond_it(value: float, told: float) -> None:
    found = withheld(verdict("mean.height", 3, value))
    assert found.value == told
    assert str(value) not in found.reason


def test_only_body_measures_of_few_are_withheld() -> None:
    for kpi, n in (("mean.height", 10), ("mean.price.EUR", 1), ("volume", 1), ("missing.age", 2)):
        one = verdict(kpi, n, 120.0)
        assert withheld(one) is one
    assert withheld(verdict("mean.age", 1, 34.0, None)).value != 34.0
