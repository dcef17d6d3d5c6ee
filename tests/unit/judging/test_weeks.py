"""A shop that sends one file a week is judged by the week that its file covers."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from streamwatch.domain.cells import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

    from streamwatch.domain.verdicts import Verdict

MONDAY = 1_704_067_200_000
SHOP = "shop-001"
WEEK_MS = 7 * DAY_MS
FIRST = 2
"""The files hold Wednesday to Tuesday and come on Wednesday at six."""


def week(company: "Company", number: int, counts: list[int], *, sent: bool = True) -> None:
    """A week passes, hour by hour, and at six on its last day's morrow its file comes."""
    end = MONDAY + FIRST * DAY_MS + (number + 1) * WEEK_MS
    for hour in range(6, 7 * 24 + 6, 3):
        company.beat(end - WEEK_MS + hour * HOUR_MS)
    if sent:
        for day, count in enumerate(counts):
            if count:
                company.now = end + 6 * HOUR_MS
                company.send(SHOP, end - WEEK_MS + day * DAY_MS + 12 * HOUR_MS, count)
    company.beat(end + 9 * HOUR_MS)


def weeks(company: "Company", numbers: range, mean: float = 60.0) -> None:
    """Ordinary weeks."""
    rng = np.random.default_rng(numbers.start)
    for number in numbers:
        week(company, number, rng.poisson(mean, 7).tolist())


def volumes(company: "Company", span: str) -> "list[Verdict]":
    """The volumes of all records that were judged by a span."""
    return [v for v in company.verdicts if v.key.kpi == "volume" and v.key.span == span]


def test_ordinary_weeks_are_judged_soon_after_their_file_and_alarm_nobody(
    company: "Company",
) -> None:
    weeks(company, range(14))
    assert not company.incidents
    judged = volumes(company, "week")
    assert len(judged) >= 7
    assert {verdict.state for verdict in judged} == {"usual"}
    assert all(350 < verdict.value < 500 for verdict in judged)
    assert max(v.judged_at - (v.bucket + WEEK_MS) for v in judged) <= 12 * HOUR_MS
    assert {v.state for v in volumes(company, "day")[16:]} == {"usual"}


def test_a_small_shop_is_judged_by_its_weeks_only(company: "Company") -> None:
    weeks(company, range(9), 3.0)
    first = volumes(company, "week")[0].bucket
    assert max(verdict.bucket for verdict in volumes(company, "day")) < first


def test_a_day_that_lacks_in_the_file_of_a_larger_shop_is_told(company: "Company") -> None:
    weeks(company, range(10))
    week(company, 10, [60, 60, 0, 60, 60, 60, 60])
    [incident] = company.incidents.values()
    assert (incident.key.kpi, incident.key.span) == ("volume", "day")
    assert incident.since == MONDAY + FIRST * DAY_MS + 10 * WEEK_MS + 2 * DAY_MS


@pytest.mark.parametrize(("mean", "factor"), [(60.0, 0.4), (3.0, 3.0)])
def test_a_week_that_departs_is_told_when_its_file_is_there(
    company: "Company", mean: float, factor: float
) -> None:
    weeks(company, range(10), mean)
    week(company, 10, [round(mean * factor)] * 7)
    week(company, 11, [round(mean)] * 7)
    [incident] = [one for one in company.incidents.values() if not one.part_of]
    assert (incident.key.kpi, incident.status) == ("volume", "closed")
    assert incident.since == MONDAY + FIRST * DAY_MS + 10 * WEEK_MS
    assert "week" in {one.key.span for one in company.incidents.values()}


def test_a_file_that_does_not_come_is_told_within_a_quarter_of_a_week(company: "Company") -> None:
    weeks(company, range(10))
    week(company, 10, [60] * 7, sent=False)
    assert not company.incidents
    due = MONDAY + FIRST * DAY_MS + 11 * WEEK_MS + 6 * HOUR_MS
    told = None
    for hour in range(0, 72, 3):
        company.beat(due + hour * HOUR_MS)
        if company.incidents and told is None:
            told = hour
    assert told is not None
    assert told <= 7 * 24 / 4 + 3
    assert {one.key.kpi for one in company.incidents.values()} >= {"silence"}


def test_a_record_that_comes_later_judges_its_week_again(company: "Company") -> None:
    weeks(company, range(10))
    before = volumes(company, "week")[-1]
    end = before.bucket + WEEK_MS
    for hour in range(12, 30, 3):
        company.beat(end + hour * HOUR_MS)
    before = volumes(company, "week")[-1]
    company.send(SHOP, end - 2 * DAY_MS + 13 * HOUR_MS, 5)
    company.beat(end + 36 * HOUR_MS)
    after = volumes(company, "week")[-1]
    assert (after.bucket, after.version) == (before.bucket, before.version + 1)
    assert after.value == before.value + 5


def test_a_shop_that_begins_to_send_daily_is_judged_by_the_day_again(company: "Company") -> None:
    weeks(company, range(8))
    begun = MONDAY + FIRST * DAY_MS + 8 * WEEK_MS
    rng = np.random.default_rng(3)
    for day in range(28):
        for hour in range(6, 24, 6):
            company.beat(begun + day * DAY_MS + hour * HOUR_MS)
        company.send(SHOP, begun + day * DAY_MS + 12 * HOUR_MS, int(rng.poisson(60)))
    company.beat(begun + 29 * DAY_MS)
    newest = volumes(company, "day")[-1]
    assert newest.bucket >= begun + 26 * DAY_MS
    assert newest.state == "usual"


def test_weeks_outlive_a_restart(company: "Company", new_company: "type[Company]") -> None:
    other = new_company()
    for number in range(9):
        weeks(company, range(number, number + 1))
        weeks(other, range(number, number + 1))
        other.restart()
    assert other.verdicts == company.verdicts
