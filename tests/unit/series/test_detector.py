import math

import numpy as np
import pytest

from streamwatch.series.detector import Detector
from streamwatch.series.points import Kind, sensitivity

MINUTES = 300_000
HOUR = 3_600_000
DAY = 86_400_000
NOW = 1_700_000_000_000
LIMITS = sensitivity(1.0)


def states(
    values: list[float], step: int = MINUTES, kind: Kind | None = None, factor: float = 1.0
) -> list[str]:
    detector = Detector(sensitivity(factor), kind)
    return [detector.judge(NOW + place * step, value).state for place, value in enumerate(values)]


def daily_curve(rows: int, mean: int = 100, step: int = MINUTES) -> list[float]:
    """Counts that follow the hours of the day; a fixed pattern stands for their noise."""
    return [
        float(round(mean * (1 + 0.5 * math.sin(2 * math.pi * place * step / DAY)) + place * 7 % 11))
        for place in range(rows)
    ]


def test_a_burst_in_a_five_minute_series_is_unusual_and_the_rest_is_not() -> None:
    values = daily_curve(2_000)
    values[1_500:1_505] = [2_000.0] * 5
    found = states(values)
    assert "unusual" in found[1_500:1_505]
    assert "unusual" not in found[:1_500]


def test_a_series_that_falls_to_zero_is_unusual_within_an_hour() -> None:
    values = daily_curve(2_000, mean=300)
    values[1_500:1_560] = [0.0] * 60
    assert "unusual" in states(values)[1_500:1_512]


def test_a_daily_count_is_judged_as_a_shops_volume_is() -> None:
    values = [500.0 + place * 13 % 40 for place in range(60)]
    values[50] = 20.0
    found = states(values, DAY)
    assert found[50] == "unusual"
    assert found.count("unusual") == 1


def test_a_daily_mean_with_negative_values_is_judged() -> None:
    values = [-5.0 + place * 7 % 11 / 10 for place in range(80)]
    values[70] = 40.0
    found = states(values, DAY)
    assert found[70] == "unusual"
    assert "unusual" not in found[:70]


def test_a_constant_series_is_usual_until_it_changes() -> None:
    values = [5.5] * 1_000 + [6.5] * 12
    found = states(values, kind="value")
    assert set(found[900:1_000]) == {"usual"}
    assert "unusual" in found[1_000:]


@pytest.mark.parametrize("step", [MINUTES, HOUR, DAY])
@pytest.mark.parametrize("constant", [0.0, 5.0, 1e9])
def test_a_constant_count_is_never_unusual(step: int, constant: float) -> None:
    assert "unusual" not in states([constant] * 700, step)


@pytest.mark.parametrize(
    ("time", "value", "reason"),
    [
        (NOW + 10**9, math.nan, "no number"),
        (NOW + 10**9, math.inf, "no number"),
        (NOW + 10**9, 1e300, "larger than"),
        (None, 5.0, "the time cannot be read"),
        (10**18, 5.0, "the time cannot be read"),
        (NOW + 699 * MINUTES, 5.0, "same time"),
        (NOW, 5.0, "older than"),
        (NOW + 10**9, -3.0, "below 0"),
    ],
)
def test_what_is_no_reading_is_told_and_changes_nothing(
    time: int | None, value: float, reason: str
) -> None:
    detector, twin = Detector(LIMITS), Detector(LIMITS)
    for place, one in enumerate(daily_curve(700)):
        detector.judge(NOW + place * MINUTES, one)
        twin.judge(NOW + place * MINUTES, one)
    refused = detector.judge(time, value)
    assert refused.state == "skipped"
    assert refused.score is None
    assert reason in refused.reason
    after = NOW + 700 * MINUTES
    assert detector.judge(after, 90.0) == twin.judge(after, 90.0)


def test_the_first_rows_say_what_is_still_missing() -> None:
    detector = Detector(LIMITS)
    reasons = [detector.judge(NOW + place * MINUTES, 5.0).reason for place in range(40)]
    assert reasons[0] == "row 1: the step is being told"
    assert reasons[39] == "40 of 576 rows seen"


def test_a_gap_does_not_join_rows_that_are_far_apart() -> None:
    detector = Detector(LIMITS)
    for place in range(1_000):
        detector.judge(NOW + place * MINUTES, 50.0 + place % 5)
    later = NOW + 1_000 * MINUTES + 5 * DAY
    assert [detector.judge(later + place * MINUTES, 50.0).state for place in range(20)] == [
        "usual"
    ] * 20


def test_after_more_than_a_year_without_rows_learning_starts_anew() -> None:
    detector = Detector(LIMITS)
    for place in range(1_000):
        detector.judge(NOW + place * MINUTES, 50.0)
    assert detector.judge(NOW + 500 * DAY, 5_000.0).state == "warming"


def test_more_sensitive_finds_more() -> None:
    values = daily_curve(3_000)
    for place in range(700, 3_000, 100):
        values[place : place + 3] = [160.0 + place / 10] * 3
    counts = [states(values, factor=factor).count("unusual") for factor in (0.3, 1.0, 3.0)]
    assert counts[0] <= counts[1] <= counts[2]
    assert counts[0] < counts[2]


def test_uneven_steps_are_judged() -> None:
    detector = Detector(LIMITS, "value")
    time = NOW
    found: list[str] = []
    for place in range(1_500):
        time += 200_000 + place * 7_919 % 200_000
        value = 20.0 + place * 31 % 17 / 10 if place < 1_450 else 60.0
        found.append(detector.judge(time, value).state)
    assert "unusual" not in found[:1_450]
    assert "unusual" in found[1_450:]


def test_a_departure_that_goes_on_stays_unusual_while_its_score_falls() -> None:
    values = daily_curve(1_500, mean=300) + [3_000.0] * 20
    detector = Detector(LIMITS)
    judged = [detector.judge(NOW + place * MINUTES, one) for place, one in enumerate(values)]
    last = judged[-1]
    assert last.state == "unusual"
    assert last.score is not None
    assert last.score < 0.5
    assert "goes on" in last.reason


def test_skewed_values_do_not_alarm_by_their_long_tail() -> None:
    values = np.random.default_rng(1).lognormal(3.0, 0.7, 700).tolist()
    assert states(values, DAY).count("unusual") <= 2


def test_a_value_that_falls_to_zero_is_unusual_though_its_tail_is_long() -> None:
    values = np.random.default_rng(1).lognormal(3.0, 0.2, 100).tolist()
    values[80:83] = [0.0] * 3
    found = states(values, DAY)
    assert "unusual" in found[80:83]
    assert "unusual" not in found[:80]


def test_few_windows_of_a_young_series_do_not_pass_for_certainty() -> None:
    for seed in range(20):
        values = np.random.default_rng(seed).normal(40.0, 8.0, 60).tolist()
        assert "unusual" not in states(values, DAY, kind="value")
