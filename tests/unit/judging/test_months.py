"""A shop that sends one file a month is judged by the month that its file covers."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from streamwatch.domain.cells import DAY_MS, HOUR_MS, Moments
from streamwatch.steps.calendar import days_of_month, month_start

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

    from streamwatch.domain.verdicts import Verdict

SHOP = "shop-001"


def start_of(month: int) -> int:
    """The first midnight of a month, counted from January 2024."""
    year, number = divmod(month, 12)
    return round(datetime(2024 + year, number + 1, 1, tzinfo=UTC).timestamp() * 1000)


def month(
    company: "Company", number: int, mean: float = 20.0, *, height: float = 170.0, sent: bool = True
) -> None:
    """A month passes, and on the morning after it its file comes."""
    start, end = start_of(number), start_of(number + 1)
    for day in range(start + DAY_MS, end, DAY_MS):
        company.beat(day + 9 * HOUR_MS)
    company.beat(end + 5 * HOUR_MS)
    rng = np.random.default_rng(number)
    for day in range(start, end, DAY_MS) if sent else ():
        count = int(rng.poisson(mean))
        moments = Moments(count, height + float(rng.normal(0, 2)), 100.0 * max(count - 1, 0))
        company.now = end + 6 * HOUR_MS
        company.send(SHOP, day + 12 * HOUR_MS, count, height=moments if count else None)
    company.beat(end + 9 * HOUR_MS)
    company.beat(end + 15 * HOUR_MS)


def of_months(company: "Company", kpi: str = "volume") -> "list[Verdict]":
    """The verdicts by the month."""
    return [v for v in company.verdicts if v.key.kpi == kpi and v.key.span == "month"]


@pytest.fixture
def year(company: "Company") -> "Company":
    """Twelve ordinary months."""
    for number in range(12):
        month(company, number)
    return company


def test_ordinary_months_are_judged_soon_after_their_file_and_alarm_nobody(
    year: "Company",
) -> None:
    judged = of_months(year)
    assert [verdict.bucket for verdict in judged] == [start_of(number) for number in range(3, 12)]
    assert {verdict.state for verdict in judged[-5:]} == {"usual"}
    assert all(500 < verdict.value < 700 for verdict in judged)
    assert all(v.judged_at - start_of(n + 4) <= 16 * HOUR_MS for n, v in enumerate(judged))
    assert not [one for one in year.incidents.values() if one.status == "open"]
    assert not [one for one in year.incidents.values() if one.since > start_of(3)]


def test_a_month_that_departs_is_told_when_its_file_is_there(year: "Company") -> None:
    month(year, 12, 5.0)
    newest = of_months(year)[-1]
    assert (newest.bucket, newest.state) == (start_of(12), "unusual")
    assert "volume" in {one.key.kpi for one in year.incidents.values() if one.status == "open"}
    month(year, 13)
    assert {one.status for one in year.incidents.values()} == {"closed"}


def test_the_means_of_a_month_are_judged(year: "Company") -> None:
    month(year, 12, height=67.0)
    newest = of_months(year, "mean.height")[-1]
    assert (newest.bucket, newest.state) == (start_of(12), "unusual")


def test_a_file_that_does_not_come_is_told_within_a_quarter_of_a_month(year: "Company") -> None:
    month(year, 12, sent=False)
    assert {one.status for one in year.incidents.values()} <= {"closed"}
    told = None
    for hours in range(0, 240, 6):
        year.beat(start_of(13) + hours * HOUR_MS)
        kpis = {one.key.kpi for one in year.incidents.values() if one.status == "open"}
        if told is None and kpis:
            told = hours
    assert told is not None
    assert told <= 30 * 24 / 4 + 6
    assert "silence" in kpis


def test_a_shop_that_begins_to_send_daily_is_judged_by_the_day_again(year: "Company") -> None:
    begun = start_of(12)
    rng = np.random.default_rng(3)
    for day in range(40):
        for hour in range(6, 24, 6):
            year.beat(begun + day * DAY_MS + hour * HOUR_MS)
        year.send(SHOP, begun + day * DAY_MS + 12 * HOUR_MS, int(rng.poisson(20)))
    year.beat(begun + 41 * DAY_MS)
    newest = [v for v in year.verdicts if v.key.kpi == "volume" and v.key.span == "day"][-1]
    assert newest.bucket >= begun + 38 * DAY_MS


def test_months_outlive_a_restart(company: "Company", new_company: "type[Company]") -> None:
    other = new_company()
    for number in range(6):
        month(company, number)
        month(other, number)
        other.restart()
    assert of_months(company)
    assert other.verdicts == company.verdicts


def test_a_month_may_begin_on_any_day_and_has_its_own_length() -> None:
    start = month_start(start_of(2), 21, UTC)
    assert start == start_of(1) + 20 * DAY_MS
    assert len(days_of_month(start, UTC)) == 29
    assert month_start(start, 21, UTC) == start
