"""Numbers that are none, and records that are no messages, change nothing."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from streamwatch.baselines import judging
from streamwatch.domain.cells import DAY_MS, Moments
from streamwatch.domain.messages import Partial
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.settings import JudgingSettings

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e300])
@pytest.mark.parametrize("day", [3, 20])
def test_a_bad_number_poisons_no_baseline(company: "Company", bad: float, day: int) -> None:
    for number in range(40):
        if number == day:
            height = Moments(100, bad, 1.0)
            company.send("shop-001", MONDAY + number * DAY_MS, 100, height=height)
        company.day(number, {"shop-001": 100}, 170.0)
    company.day(40, {"shop-001": 100}, 150.0)
    assert company.of("mean.height")[-2].state == "usual"
    assert company.of("mean.height")[-1].state == "unusual"


@pytest.mark.parametrize("kpi", ["volume", "mean.height"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -5.0e13])
def test_a_baseline_neither_judges_nor_learns_what_is_no_number(kpi: str, bad: float) -> None:
    settings = JudgingSettings()
    key = KpiKey("shop-001", "widget-event", kpi)
    baseline = judging.begin(key)
    for day in range(20):
        reading = Reading(key, day * DAY_MS, day % 7, 100.0, 100, 4.0)
        verdict = judging.score(baseline, reading, settings)
        baseline = judging.learn(baseline, reading, verdict, settings)
    reading = Reading(key, 20 * DAY_MS, 6, bad, 100, 4.0)
    verdict = judging.score(baseline, reading, settings)
    assert verdict.state == "warming"
    assert judging.learn(baseline, reading, verdict, settings) == baseline


@pytest.mark.parametrize(
    "value", [None, b"", b"\xff", b"{}", msgspec.msgpack.encode({"type": "x"})]
)
def test_a_record_that_is_no_message_is_counted_and_passed_over(
    company: "Company", value: bytes | None
) -> None:
    slice_ = Slice("readings", 0, (FileRecord(offset=0, value=value),))
    judged = company.judge.process(company.judge_state, slice_, 0)
    found = company.fleet.process(company.fleet_state, slice_, 0)
    assert (judged.dead_lettered, judged.aggregated) == (1, 0)
    assert (found.dead_lettered, found.aggregated) == (1, 0)


def test_an_impossible_hour_is_counted_and_passed_over(company: "Company") -> None:
    for hour in (-1, 10**18):
        value = msgspec.msgpack.encode(Partial("purchase", "p", 0, "a", hour, 1, 0, {}))
        slice_ = Slice("readings", 0, (FileRecord(offset=0, value=value),))
        assert company.judge.process(company.judge_state, slice_, 0).dead_lettered == 1
