"""One record that makes the mean of an hour."""

from streamwatch.baselines import judging
from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.sketch import bin_of

SETTINGS = JudgingSettings()
KEY = KpiKey("shop-001", "purchase", "mean.quantity")


def of(day: int, values: list[float]) -> Reading:
    mean = sum(values) / len(values)
    spread = sum((value - mean) ** 2 for value in values) / len(values)
    bins: dict[int, int] = {}
    for value in values:
        bins[bin_of(value)] = bins.get(bin_of(value), 0) + 1
    return Reading(KEY, day * DAY_MS, day % 7, mean, len(values), variance=spread, bins=bins)


def test_a_departure_that_rests_on_one_record_does_not_count_before_the_day_is_over() -> None:
    baseline = judging.begin(KEY)
    for day in range(40):
        reading = of(day, [1.0 + (day + place) % 5 for place in range(100)])
        verdict = judging.score(baseline, reading, SETTINGS)
        baseline = judging.learn(baseline, reading, verdict, SETTINGS)
    one = judging.score(baseline, of(40, [3.0] * 99 + [70_000.0]), SETTINGS)
    many = judging.score(baseline, of(40, [3.0] * 50 + [400.0] * 50), SETTINGS)
    assert one.state == many.state == "unusual"
    assert abs(one.deviation) < 1 < abs(many.deviation)
