"""What belongs together is told together: the fleet, a shop's KPIs, words of people."""

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from streamwatch.baselines import judging
from streamwatch.baselines.evidence import SURE
from streamwatch.baselines.fleetfactor import Common
from streamwatch.domain.cells import DAY_MS, HOUR_MS, Moments
from streamwatch.domain.messages import Acknowledge
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.rows import IncidentRow
from streamwatch.domain.settings import CalendarDay, JudgingSettings
from streamwatch.incidents.budget import opening_score

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000
SHOPS = [f"shop-{number:03}" for number in range(12)]


def days(company: "Company", numbers: range, *, factor: float = 1.0, shops: int = 12) -> None:
    rng = np.random.default_rng(numbers.start)
    for day in numbers:
        company.day(day, {shop: int(rng.poisson(300) * factor) for shop in SHOPS[:shops]})


def test_many_shops_at_once_are_one_incident(company: "Company") -> None:
    days(company, range(30))
    days(company, range(30, 31), factor=0.2)
    volumes = [one for one in company.incidents.values() if one.key.kpi == "volume"]
    [wide] = [one for one in volumes if one.is_fleet]
    assert (wide.status, wide.direction, wide.value) == ("open", "low", 12.0)
    assert "12 of 12 shops at once" in wide.reason
    assert {one.part_of for one in volumes if not one.is_fleet} == {wide.id}
    days(company, range(31, 32))
    [wide] = [one for one in company.incidents.values() if one.is_fleet]
    assert wide.status == "closed"


def test_the_same_fall_of_thirty_shops_is_their_common_factor(new_company: "type[Company]") -> None:
    company = new_company(JudgingSettings(hourly_from=1e9))
    rng = np.random.default_rng(1)
    for day in range(40):
        factor = 0.4 if day == 35 else 1.0
        shops = {f"shop-{n:03}": int(rng.poisson(300) * factor) for n in range(40)}
        if day == 35:
            shops["shop-000"] = 0
        company.day(day, shops)
    low = {one.key.shop for one in company.incidents.values() if one.key.kpi == "volume"}
    assert low == {"shop-000"}


def test_a_holiday_of_the_calendar_is_no_alarm_and_not_learned(
    new_company: "type[Company]",
) -> None:
    day = CalendarDay("2024-02-05", "a holiday")
    company = new_company(JudgingSettings(calendar=(day,), hourly_from=1e9))
    days(company, range(35), shops=1)
    learned = company.judge_state.shops[SHOPS[0]]["widget-event"].learned
    before = learned.baselines["day|volume|all"].typical
    days(company, range(35, 36), factor=0.4, shops=1)
    assert [one for one in company.incidents.values() if one.key.kpi == "volume"] == []
    assert learned.baselines["day|volume|all"].typical == before


def test_a_field_that_vanishes_is_told_while_the_day_is_open(company: "Company") -> None:
    for day in range(20):
        start = MONDAY + day * DAY_MS
        height = Moments(297, 170.0, 100.0 * 296, 3)
        company.send("shop-001", start + 12 * HOUR_MS, 300, height=height)
        company.beat(start + DAY_MS + 2 * HOUR_MS)
    start = MONDAY + 20 * DAY_MS
    company.send("shop-001", start + 9 * HOUR_MS, 9, height=Moments(0, 0.0, 0.0, 9))
    [incident] = company.incidents.values()
    assert (incident.key.kpi, incident.status) == ("missing.height", "open")
    assert "still open" in incident.reason
    assert SURE > 13


@pytest.mark.parametrize("sent", [0, 15])
def test_a_field_that_is_hardly_ever_sent_is_no_alarm_while_the_day_is_open(
    company: "Company", sent: int
) -> None:
    """Nothing, or one record in twenty, has the field: another record without it is no news."""
    for day in range(30):
        start = MONDAY + day * DAY_MS
        for hour in range(12):
            height = Moments(sent, 170.0, 100.0 * max(sent - 1, 0), 300 - sent)
            company.send("shop-001", start + hour * HOUR_MS, 300, height=height)
        company.beat(start + DAY_MS + HOUR_MS)
    assert not company.incidents


def test_a_new_trend_is_accepted_at_a_persons_word(company: "Company") -> None:
    days(company, range(30), shops=1)
    days(company, range(30, 31), factor=3, shops=1)
    [incident] = [one for one in company.incidents.values() if one.key.kpi == "volume"]
    word = Acknowledge(
        incident.id, "new-trend", incident.key, incident.since, incident.last_bucket,
        incident.value, incident.expected, incident.score, incident.updated_at,
    )  # fmt: skip
    company.tell(msgspec.msgpack.encode(word))
    records = (FileRecord(offset=0, value=msgspec.json.encode(word)),)
    outcome = company.fleet.process(company.fleet_state, Slice("verdicts", 0, records), 0)
    [row] = outcome.rows
    assert isinstance(row, IncidentRow)
    assert row.incident.acknowledged == "new-trend"
    days(company, range(31, 32), factor=3, shops=1)
    assert company.of("volume", SHOPS[0])[-1].state == "usual"


def test_the_more_is_judged_the_more_an_incident_must_depart() -> None:
    assert opening_score(10_000, 5.0) < opening_score(1_000_000, 5.0) < opening_score(10**8, 5.0)


def test_a_count_between_both_predictions_of_a_shared_day_is_usual() -> None:
    key = KpiKey("shop-001", "purchase", "volume")
    baseline = judging.begin(key)
    for day in range(30):
        reading = Reading(key, day * DAY_MS, day % 7, 1.0 if day % 9 == 0 else 0.0, 1)
        verdict = judging.score(baseline, reading, JudgingSettings())
        baseline = judging.learn(baseline, reading, verdict, JudgingSettings())
    for factor in (1e-3, 0.5, 1.0, 30.0):
        reading = Reading(key, 30 * DAY_MS, 2, 0.0, 0)
        verdict = judging.score(baseline, reading, JudgingSettings(), Common(factor, 0.2))
        assert verdict.state == "usual"
        assert verdict.lower is not None
        assert verdict.upper is not None
        assert verdict.lower <= verdict.value <= verdict.upper
