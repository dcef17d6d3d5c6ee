"""Whatever a client sends: no exception, no silent wrong verdict, a reason where there is none."""

import math
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from streamwatch.baselines import judging
from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.messages import Partial
from streamwatch.domain.readings import KpiKey, Reading, Span
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000
SHOP = "shop-001"
SETTINGS = JudgingSettings()
KPIS = ("volume", "mean.height", "missing.height", "mix.size", "ratio.returns", "rejects")
BAD = (math.nan, math.inf, -math.inf, -1.0, 1e300)


def reading(kpi: str, day: int, value: float, n: int = 100, span: Span = "day") -> Reading:
    """A reading of any KPI."""
    key = KpiKey(SHOP, "purchase", kpi, span=span)
    counts = {"S": n // 2, "M": n - n // 2} if kpi.startswith("mix") else {}
    return Reading(key, day * DAY_MS, day % 7, value, n, 4.0, hits=round(n * 0.1), counts=counts)


def judged(kpi: str, readings: list[Reading]) -> list[Verdict]:
    """Each reading, scored and then learned."""
    baseline = judging.begin(KpiKey(SHOP, "purchase", kpi))
    verdicts = []
    for one in readings:
        verdicts.append(judging.score(baseline, one, SETTINGS))
        baseline = judging.learn(baseline, one, verdicts[-1], SETTINGS)
    return verdicts


@pytest.mark.parametrize("kpi", KPIS)
@pytest.mark.parametrize("bad", BAD)
def test_a_value_that_is_none_changes_no_later_verdict(kpi: str, bad: float) -> None:
    usual = [
        reading(kpi, day, 100.0 if kpi in ("volume", "mean.height") else 0.1) for day in range(30)
    ]
    broken = msgspec.structs.replace(usual[0], bucket=30 * DAY_MS, value=bad)
    if kpi.startswith("mix"):
        broken = msgspec.structs.replace(broken, counts={"S": -5, "M": 0}, n=-5)
    told = judged(kpi, [*usual, broken, msgspec.structs.replace(usual[0], bucket=31 * DAY_MS)])
    assert told[-2].state != "usual" or math.isfinite(told[-2].score)
    assert told[-2].reason
    assert (told[-1].state, math.isfinite(told[-1].score)) == ("usual", True)


@pytest.mark.parametrize("kpi", KPIS)
@pytest.mark.parametrize("value", [0.0, 1.0, 250.0])
def test_a_constant_value_is_usual_for_ever(kpi: str, value: float) -> None:
    """Without any variance: neither a division by zero nor an infinite deviation."""
    readings = [
        msgspec.structs.replace(reading(kpi, day, value), variance=0.0) for day in range(60)
    ]
    told = judged(kpi, readings)
    assert {verdict.state for verdict in told[20:]} <= {"usual", "warming"}
    assert all(math.isfinite(verdict.score) for verdict in told)


@pytest.mark.parametrize("kpi", KPIS)
def test_a_single_bucket_has_no_verdict_but_a_reason(kpi: str) -> None:
    [verdict] = judged(kpi, [reading(kpi, 0, 5.0)])
    assert (verdict.state, verdict.score, verdict.expected) == ("warming", 0.0, None)
    assert "seen" in verdict.reason or "gathered" in verdict.reason


@pytest.mark.parametrize("kpi", KPIS)
def test_buckets_out_of_order_are_learned_once_and_in_order(kpi: str) -> None:
    usual = [
        reading(kpi, day, 100.0 if kpi in ("volume", "mean.height") else 0.1) for day in range(30)
    ]
    again = [usual[29], usual[3], usual[12], usual[28]]
    newest = msgspec.structs.replace(usual[0], bucket=30 * DAY_MS)
    assert judged(kpi, [*usual, *again, newest])[-1] == judged(kpi, [*usual, newest])[-1]


def test_hours_that_arrive_in_any_order_give_the_same_day(new_company: "type[Company]") -> None:
    forwards, backwards = new_company(), new_company()
    for day in range(20):
        start = MONDAY + day * DAY_MS
        for company, hours in ((forwards, range(24)), (backwards, range(23, -1, -1))):
            for hour in hours:
                company.send(SHOP, start + hour * HOUR_MS, 5 + hour, height=Moments(5, 170.0, 9.0))
            company.beat(start + DAY_MS + 2 * HOUR_MS)
    for kpi in ("volume", "mean.height"):
        assert [one.value for one in forwards.of(kpi)] == pytest.approx(
            [one.value for one in backwards.of(kpi)]
        )


def test_a_shop_that_returns_after_months_is_silent_once_and_usual_again(
    company: "Company",
) -> None:
    rng = np.random.default_rng(1)
    for day in range(220):
        sends = day < 50 or day >= 170
        company.day(day, {SHOP: int(rng.poisson(300)) if sends else 0, "shop-002": 50})
    incidents = [one for one in company.incidents.values() if one.key.shop == SHOP]
    assert {one.status for one in incidents} == {"closed"}
    assert {one.key.kpi for one in incidents} <= {"volume", "silence"}
    assert len(incidents) <= 3
    assert company.of("volume")[-1].state == "usual"
    assert company.of("volume")[100].state == "unusual"


@pytest.mark.parametrize(("a_day", "every"), [(1, 30), (1_000_000_000, 1)])
def test_one_record_a_month_and_a_thousand_million_a_day(
    company: "Company", a_day: int, every: int
) -> None:
    rng = np.random.default_rng(2)
    for day in range(120):
        sent = int(rng.normal(a_day, a_day * 0.02)) if day % every == 0 else 0
        company.day(day, {SHOP: max(sent, 1 if day % every == 0 else 0), "shop-002": 50})
    assert not [one for one in company.incidents.values() if one.key.shop == SHOP]
    company.day(120, {SHOP: a_day // 10 if a_day > 1 else 40, "shop-002": 50})
    company.day(121, {SHOP: a_day // 10 if a_day > 1 else 40, "shop-002": 50})
    assert [one for one in company.incidents.values() if one.key.shop == SHOP]


@pytest.mark.parametrize("clock", [0, MONDAY - 400 * DAY_MS, MONDAY + 100_000 * DAY_MS])
def test_a_clock_that_jumps_breaks_nothing(company: "Company", clock: int) -> None:
    for day in range(20):
        company.day(day, {SHOP: 100})
    company.beat(clock)
    for day in range(20, 25):
        company.day(day, {SHOP: 100})
    assert not [one for one in company.incidents.values() if one.status == "open"]
    assert all(verdict.reason for verdict in company.verdicts)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_no_day_on_which_the_clocks_change_is_unusual(
    new_company: "type[Company]", zone: str
) -> None:
    """Such a day has 23 or 25 hours; a year of days by the hour, in each hour as many records."""
    company = new_company(zone=ZoneInfo(zone))
    for hour in range(24 * 120):
        company.send(SHOP, MONDAY + (24 * 40 + hour) * HOUR_MS, 5 + hour % 3)
        if hour % 6 == 5:
            company.beat(MONDAY + (24 * 40 + hour + 1) * HOUR_MS)
    assert {verdict.state for verdict in company.of("volume")[16:]} == {"usual"}
    assert not company.incidents


@pytest.mark.parametrize("count", [-1, -(10**12)])
def test_a_negative_count_is_no_partial(company: "Company", count: int) -> None:
    cells = {ALL: Cell(count=count)}
    value = msgspec.msgpack.encode(
        Partial("purchase", "purchase", 0, SHOP, MONDAY, 1, MONDAY, cells)
    )
    records = (FileRecord(offset=0, value=value),)
    outcome = company.judge.process(company.judge_state, Slice("readings", 0, records), 0)
    assert outcome.dead_lettered == 1
