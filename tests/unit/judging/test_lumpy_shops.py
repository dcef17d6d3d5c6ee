"""Shops whose records come in lumps: rarely, in large orders, or at odd hours of the week."""

import numpy as np
import pytest

from streamwatch.baselines import intermittent, judging, units
from streamwatch.baselines.counts import VolumeBaseline, arrivals
from streamwatch.baselines.season import Slot
from streamwatch.domain.cells import DAY_MS, HOUR_MS
from streamwatch.domain.readings import KpiKey, Reading, Span
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.sketch import bin_of
from streamwatch.domain.verdicts import Verdict

SETTINGS = JudgingSettings()


def judged(counts: list[int], span: Span = "day") -> tuple[list[Verdict], VolumeBaseline]:
    key = KpiKey("shop-001", "purchase", "volume", "all", span)
    baseline = judging.begin(key)
    verdicts = []
    for place, count in enumerate(counts):
        bucket, slot = place * DAY_MS, place % 7
        if span == "hour":
            bucket, slot = place * HOUR_MS, place % 168
        reading = Reading(key, bucket, slot, float(count), count)
        verdicts.append(judging.score(baseline, reading, SETTINGS))
        baseline = judging.learn(baseline, reading, verdicts[-1], SETTINGS)
    assert isinstance(baseline, VolumeBaseline)
    return verdicts, baseline


def wholesale(seed: int, days: int, every: float) -> list[int]:
    """An order of many lines now and then."""
    rng = np.random.default_rng(seed)
    ordered = rng.random(days) < 1 / every
    return [int(size) for size in ordered * np.ceil(rng.lognormal(3.2, 0.7, days))]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("every", [1.6, 5.0, 12.0])
def test_large_orders_that_come_now_and_then_are_usual(seed: int, every: float) -> None:
    verdicts, baseline = judged(wholesale(seed, 400, every))
    assert sum(one.state == "unusual" for one in verdicts) <= 1
    assert baseline.intermittent


def test_an_order_a_hundred_times_as_large_as_any_is_unusual() -> None:
    verdicts, _ = judged([*wholesale(1, 200, 5.0), 5_000])
    assert verdicts[-1].state == "unusual"
    assert verdicts[-1].expected is not None
    assert verdicts[-1].expected < 50


def test_a_shop_that_begins_to_sell_daily_is_regular_again() -> None:
    rng = np.random.default_rng(1)
    _, baseline = judged([*wholesale(1, 100, 4.0), *rng.poisson(40, 150).tolist()])
    assert not baseline.intermittent
    assert 30 < baseline.level.mean < 50


def test_days_of_rest_do_not_make_a_shop_intermittent() -> None:
    rng = np.random.default_rng(1)
    counts = [0 if day % 7 >= 5 else int(rng.poisson(40)) for day in range(120)]
    verdicts, baseline = judged([*counts, 0])
    assert not baseline.intermittent
    assert verdicts[-1].state == "unusual"  # empty on a Tuesday


def test_what_a_day_holds_is_not_known_before_two_days_held_anything() -> None:
    verdicts, _ = judged([0] * 30 + [50] + [0] * 3)
    assert {one.state for one in verdicts} == {"warming"}
    assert "1 of 2 days with records seen" in verdicts[-1].reason


def test_an_intermittent_shops_silence_is_measured_in_orders() -> None:
    weekdays = (Slot(zeros=8.0).learn(1.0, 10.0, 1.0, empty=False),) * 7
    lumpy = VolumeBaseline(weekdays=weekdays, intermittent=True)
    assert arrivals(lumpy, 0) == pytest.approx(0.22, abs=0.05)  # about a day in five holds one
    assert intermittent.empty_share(weekdays) == pytest.approx(0.8)


def test_late_hours_of_one_weekday_are_usual_from_the_fourth_week_on() -> None:
    rng = np.random.default_rng(1)

    def trade(place: int) -> int:
        weekday, hour = divmod(place % 168, 24)
        late = weekday == 3 and hour in (18, 19) and place > 6 * 168
        return int(rng.poisson(100 if late or 9 <= hour < 17 else 0.05))

    verdicts, _ = judged([trade(place) for place in range(14 * 168)], "hour")
    told = [place // 168 for place, one in enumerate(verdicts) if one.state == "unusual"]
    assert set(told) == {6, 7, 8}


def prices(rng: np.random.Generator, day: int, orders: int, factor: float = 1.0) -> Reading:
    """Lines of one order cost alike: pence or pounds."""
    lines = [
        value
        for _ in range(orders)
        for value in rng.lognormal(rng.normal(0.5, 0.9), 0.4, rng.integers(10, 60))
    ]
    lines = [value * (factor if place % 10 == 0 else 1.0) for place, value in enumerate(lines)]
    bins: dict[int, int] = {}
    for value in lines:
        bins[bin_of(value)] = bins.get(bin_of(value), 0) + 1
    key = KpiKey("shop-001", "purchase", "mean.price.GBP")
    mean, spread = float(np.mean(lines)), float(np.var(lines))
    return Reading(key, day * DAY_MS, day % 7, mean, len(lines), variance=spread, bins=bins)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_orders_of_cheap_lines_are_no_prices_ten_times_too_small(seed: int) -> None:
    rng = np.random.default_rng(seed)
    baseline = judging.begin(KpiKey("shop-001", "purchase", "mean.price.GBP"))
    told = 0
    for day in range(150):
        reading = prices(rng, day, 12)
        verdict = judging.score(baseline, reading, SETTINGS)
        told += "look like" in verdict.reason
        baseline = judging.learn(baseline, reading, verdict, SETTINGS)
    assert told <= 1


def test_a_tenth_of_such_prices_a_hundred_times_too_large_is_unusual_all_the_same() -> None:
    rng = np.random.default_rng(1)
    baseline = judging.begin(KpiKey("shop-001", "purchase", "mean.price.GBP"))
    for day in range(60):
        reading = prices(rng, day, 12)
        verdict = judging.score(baseline, reading, SETTINGS)
        baseline = judging.learn(baseline, reading, verdict, SETTINGS)
    verdict = judging.score(baseline, prices(rng, 60, 12, 100.0), SETTINGS)
    assert verdict.state == "unusual"


def test_the_design_effect_of_independent_records_stays_near_one() -> None:
    rng = np.random.default_rng(1)
    watch = units.placed(units.UnitWatch(), 0.0, 0.3)
    ones, tens = bin_of(1.0), bin_of(10.0)
    for _ in range(100):
        hits = int(rng.binomial(500, 0.01))
        watch = units.learn(watch, {ones: 500 - hits, tens: hits}, "mean.price.GBP", unusual=False)
    assert units.design_effect(watch, 0) < 1.5
