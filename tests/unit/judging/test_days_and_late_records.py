"""When a day is closed, whose day it is, and what late records change."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments, Transition
from streamwatch.domain.messages import Partial

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000


def test_a_day_is_closed_when_its_end_and_the_lateness_have_passed(company: "Company") -> None:
    company.send("shop-001", MONDAY + HOUR_MS, 7)
    company.beat(MONDAY + DAY_MS + HOUR_MS - 1)
    assert company.verdicts == []
    company.beat(MONDAY + DAY_MS + HOUR_MS)
    assert [verdict.value for verdict in company.of("volume")] == [7.0]


def test_late_records_judge_their_day_again(company: "Company") -> None:
    company.send("shop-001", MONDAY, 10)
    company.day(1, {"shop-001": 5})
    company.send("shop-001", MONDAY + DAY_MS + 12 * HOUR_MS, 9)
    company.beat(MONDAY + 2 * DAY_MS + 3 * HOUR_MS)
    both = [
        verdict
        for verdict in company.verdicts
        if verdict.bucket == MONDAY + DAY_MS and verdict.key.kpi == "volume"
    ]
    assert [(verdict.version, verdict.value) for verdict in both] == [(1, 5.0), (2, 9.0)]


def test_late_records_take_an_incident_back(company: "Company") -> None:
    for day in range(30):
        company.day(day, {"shop-001": 300 + day % 3})
    company.day(30, {"shop-001": 2})
    [incident] = company.incidents.values()
    assert incident.status == "open"
    company.send("shop-001", MONDAY + 30 * DAY_MS + 12 * HOUR_MS, 301)
    company.beat(MONDAY + 31 * DAY_MS + 3 * HOUR_MS)
    [incident] = company.incidents.values()
    assert (incident.status, incident.reason) == (
        "closed",
        "judged again with all its records, it is usual",
    )


def test_judging_a_bucket_twice_learns_it_once(company: "Company") -> None:
    for day in range(30):
        company.day(day, {"shop-001": 300 + day % 3})
    baselines = company.judge_state.shops["shop-001"]["widget-event"].learned.baselines
    before = baselines["day|volume|all"]
    company.send("shop-001", MONDAY + 29 * DAY_MS + 12 * HOUR_MS, 310)
    company.beat(MONDAY + 30 * DAY_MS + 3 * HOUR_MS)
    assert company.of("volume")[-1].version == 2
    assert baselines["day|volume|all"] == before


def test_an_older_partial_changes_nothing(company: "Company") -> None:
    noon = MONDAY + 12 * HOUR_MS
    company.send("shop-001", noon, 9, version=50)
    company.send("shop-001", noon, 4, version=49)
    company.send("shop-001", noon, 5, version=50)
    company.beat(MONDAY + 2 * DAY_MS)
    assert company.of("volume")[0].value == 9.0


def test_sources_of_one_day_are_added(company: "Company") -> None:
    for partition in (0, 1):
        cells = {ALL: Cell(count=3, numbers={"height": Moments(3, 160.0 + 10 * partition, 0.0)})}
        partial = Partial("widget-event", "widgets", partition, "a", MONDAY, 1, MONDAY, cells)
        company.tell(msgspec.msgpack.encode(partial))
    company.beat(MONDAY + 2 * DAY_MS)
    assert company.of("volume", "a")[0].value == 6.0
    assert company.of("mean.height", "a")[0].value == 165.0


@pytest.mark.parametrize(("month", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_a_day_on_which_the_clocks_change_is_one_day(
    new_company: "type[Company]", month: str, hours: int
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    company = new_company(zone=zone)
    first = {"2024-03-31": 1_711_839_600_000, "2024-10-27": 1_729_980_000_000}[month]
    company.send("shop-001", first - DAY_MS, 1)
    for hour in range(hours):
        company.send("shop-001", first + hour * HOUR_MS, 1)
    company.send("shop-001", first + hours * HOUR_MS, 100)
    company.beat(first + 3 * DAY_MS)
    counts = {verdict.bucket: verdict.value for verdict in company.of("volume")}
    assert counts[first] == hours
    assert counts[first + hours * HOUR_MS] == 100


def test_a_day_is_the_shops_own(new_company: "type[Company]") -> None:
    company = new_company(zone=ZoneInfo("America/New_York"))
    company.send("shop-001", MONDAY + 4 * HOUR_MS, 3)
    company.send("shop-001", MONDAY + 5 * HOUR_MS, 4)
    company.beat(MONDAY + 3 * DAY_MS)
    assert [verdict.value for verdict in company.of("volume")][:2] == [3.0, 4.0]


def test_a_jump_of_the_clock_by_years_restarts_the_learning(company: "Company") -> None:
    for day in range(20):
        company.day(day, {"shop-001": 300 if day < 19 else 0})
    assert [incident.status for incident in company.incidents.values()] == ["open"]
    judged = len(company.verdicts)
    company.beat(MONDAY + 5000 * DAY_MS)
    assert len(company.verdicts) - judged == 1
    assert "learning anew" in company.verdicts[-1].reason
    assert [incident.status for incident in company.incidents.values()] == ["closed"]


def test_stage_statistics_are_told_for_each_closed_day(company: "Company") -> None:
    cell = Cell(
        count=2,
        stages={"decode": {"height": Moments(2, 67.0, 2.0)}},
        transitions={"normalise": {"height": Transition(2, 210.0)}},
    )
    partial = Partial("widget-event", "w", 0, "a", MONDAY, 1, MONDAY, {ALL: cell})
    company.tell(msgspec.msgpack.encode(partial))
    company.beat(MONDAY + DAY_MS + HOUR_MS)
    told = {row.stage: row for row in company.stages}
    assert told["decode"].moments == Moments(2, 67.0, 2.0)
    assert told["normalise"].transition == Transition(2, 210.0)
