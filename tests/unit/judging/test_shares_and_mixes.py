"""Shares, mixes and wrong units: what is found, and what is left in peace."""

import numpy as np
import pytest

from streamwatch.baselines import judging
from streamwatch.baselines.evidence import SURE, evidence_of_rise
from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.sketch import bin_of
from streamwatch.domain.verdicts import Verdict

SETTINGS = JudgingSettings()
Run = list[Verdict]


def run(readings: list[Reading]) -> Run:
    baseline = judging.begin(readings[0].key)
    verdicts = []
    for reading in readings:
        verdict = judging.score(baseline, reading, SETTINGS)
        baseline = judging.learn(baseline, reading, verdict, SETTINGS)
        verdicts.append(verdict)
    return verdicts


def share(kpi: str, day: int, hits: int, n: int) -> Reading:
    key = KpiKey("shop-001", "widget-event", kpi)
    return Reading(key, day * DAY_MS, day % 7, hits / n, n, hits=hits)


def mix(day: int, counts: dict[str, int]) -> Reading:
    key = KpiKey("shop-001", "purchase", "mix.size")
    return Reading(key, day * DAY_MS, day % 7, 0.0, sum(counts.values()), counts=counts)


def sizes(rng: np.random.Generator, n: int, shares: list[float]) -> dict[str, int]:
    drawn = rng.multinomial(n, shares)
    return dict(zip(["S", "M", "L", "XL", "XXL"], drawn.tolist(), strict=True))


def heights(rng: np.random.Generator, day: int, n: int, inches: float) -> Reading:
    values = rng.normal(170 + rng.normal(0, 0.4), 9.5, n)
    wrong = rng.random(n) < inches
    values = np.where(wrong, values / 2.54, values)
    bins: dict[int, int] = {}
    for value in values.tolist():
        bins[bin_of(value)] = bins.get(bin_of(value), 0) + 1
    key = KpiKey("shop-001", "widget-event", "mean.height")
    spread = float(values.var(ddof=1))
    return Reading(key, day * DAY_MS, day % 7, float(values.mean()), n, spread, bins=bins)


def test_a_field_that_lacks_in_a_fifth_of_the_records_is_unusual() -> None:
    rng = np.random.default_rng(1)
    known = [share("missing.height", day, int(rng.binomial(400, 0.02)), 400) for day in range(30)]
    verdicts = run([*known, share("missing.height", 30, 80, 400)])
    assert [verdict.state for verdict in verdicts[7:]] == ["usual"] * 23 + ["unusual"]
    assert verdicts[-1].expected == pytest.approx(0.02, abs=0.01)


def test_a_field_that_vanishes_never_becomes_the_normal() -> None:
    known = [share("missing.height", day, 8, 400) for day in range(30)]
    gone = [share("missing.height", 30 + day, 400, 400) for day in range(20)]
    assert {verdict.state for verdict in run([*known, *gone])[30:]} == {"unusual"}


def test_a_field_that_always_lacked_is_no_alarm_until_it_comes() -> None:
    known = [share("missing.age", day, 400, 400) for day in range(30)]
    verdicts = run([*known, share("missing.age", 30, 200, 400)])
    assert {verdict.state for verdict in verdicts[7:30]} == {"usual"}
    assert (verdicts[-1].state, verdicts[-1].score < 0) == ("unusual", True)
    assert verdicts[-1].upper is not None
    assert verdicts[-1].upper <= 1.03


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.05, 0.1])
def test_a_field_that_vanishes_is_sure_within_ten_events(rate: float) -> None:
    assert evidence_of_rise(rate, 10, 10) > SURE


def test_a_fifth_that_lacks_is_sure_within_45_events_on_average() -> None:
    assert evidence_of_rise(0.01, 9, 45) > SURE


def test_vanished_sizes_are_named() -> None:
    rng = np.random.default_rng(2)
    usual = [0.2, 0.3, 0.25, 0.15, 0.1]
    known = [mix(day, sizes(rng, 800, usual)) for day in range(30)]
    verdicts = run([*known, mix(30, sizes(rng, 600, [0.27, 0.4, 0.33, 0.0, 0.0]))])
    assert {verdict.state for verdict in verdicts[7:30]} == {"usual"}
    assert verdicts[-1].state == "unusual"
    assert "XL and XXL vanished" in verdicts[-1].reason


def test_a_large_shop_whose_mix_wobbles_is_left_in_peace() -> None:
    rng = np.random.default_rng(3)
    base = np.array([0.2, 0.3, 0.25, 0.15, 0.1]) * 2_000
    known = [mix(day, sizes(rng, 50_000, rng.dirichlet(base).tolist())) for day in range(120)]
    assert sum(verdict.state == "unusual" for verdict in run(known)) == 0


def test_few_records_are_gathered_over_days() -> None:
    verdicts = run([mix(day, {"S": 4, "M": 6}) for day in range(60)])
    assert "of 50 records gathered" in verdicts[0].reason
    assert verdicts[-1].state == "usual"


@pytest.mark.parametrize(("n", "wanted"), [(500, 0.65), (5_000, 1.0)])
def test_inches_in_a_hundredth_of_the_records_are_named(n: int, wanted: float) -> None:
    rng = np.random.default_rng(4)
    baseline = judging.begin(KpiKey("shop-001", "widget-event", "mean.height"))
    for day in range(30):
        reading = heights(rng, day, n, 0.0)
        verdict = judging.score(baseline, reading, SETTINGS)
        assert not verdict.urgent
        baseline = judging.learn(baseline, reading, verdict, SETTINGS)
    found = [
        "inches" in judging.score(baseline, heights(rng, 30, n, 0.01), SETTINGS).reason
        for _ in range(60)
    ]
    assert np.mean(found) >= wanted


def test_no_unit_fault_is_named_on_clean_records() -> None:
    rng = np.random.default_rng(5)
    verdicts = run([heights(rng, day, 400, 0.0) for day in range(150)])
    assert not any(verdict.urgent for verdict in verdicts)
