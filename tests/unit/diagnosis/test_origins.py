"""Whom a diagnosis accuses, and whom never."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.diagnosis.heights import POINTS, broken_after, day_of, usual_day, values_of

from streamwatch.diagnosis.diagnose import diagnose
from streamwatch.diagnosis.learning import LASTING, learn_days
from streamwatch.diagnosis.normal import FeatureDay, FeatureNormal
from streamwatch.diagnosis.origin import CLIENT, UNDETERMINED
from streamwatch.diagnosis.stages import origin_of_mean, origin_of_missing
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import Verdict

KEY = KpiKey("shop-001", "widget-event", "mean.height")


def inches(share: int) -> Callable[[int, float], float | None]:
    return lambda number, value: value / 2.54 if number % 100 < share else value


def verdict(value: float, expected: float, kpi: str = "mean.height") -> Verdict:
    key = KpiKey("shop-001", "widget-event", kpi)
    band = (expected * 0.95, expected * 1.05)
    return Verdict(key, 0, value, 400, "unusual", -9.0, expected, *band, "far off")


@pytest.mark.parametrize("share", [1, 10, 100])
@pytest.mark.parametrize("stage", POINTS[1:])
def test_a_stage_that_changes_values_is_named(
    normal: FeatureNormal, stage: str, share: int
) -> None:
    day = broken_after(stage, 99, inches(share))
    found = diagnose(KEY, {"height": normal}, {"height": day})
    assert found.origin.name == stage
    assert abs(sum(part.shift for part in found.origin.parts) - found.origin.shift) < 1e-9


@pytest.mark.parametrize("share", [10, 100])
def test_the_client_is_named_when_its_values_are_off_from_the_start(
    normal: FeatureNormal, share: int
) -> None:
    day = broken_after("decode", 99, inches(share))
    found = diagnose(KEY, {"height": normal}, {"height": day}, verdict(day.last.mean, 170.0))
    assert found.origin.name == CLIENT
    assert found.hypothesis.startswith(f"inches for centimetres ({share}%")


def test_a_share_that_the_mean_hides_is_seen_in_the_values(normal: FeatureNormal) -> None:
    day = broken_after("decode", 5, inches(1))
    assert origin_of_mean(normal, day).name == UNDETERMINED
    assert diagnose(KEY, {"height": normal}, {"height": day}).origin.name == CLIENT


def test_a_usual_day_accuses_nobody(normal: FeatureNormal) -> None:
    for seed in range(100, 140):
        found = diagnose(KEY, {"height": normal}, {"height": usual_day(seed)})
        assert found.origin.name == UNDETERMINED
        assert found.hypothesis == ""


def test_few_known_days_accuse_nobody() -> None:
    normals = learn_days({}, {"height": usual_day(1)}, set())
    day = broken_after("decode", 2, inches(100))
    found = diagnose(KEY, normals, {"height": day}, verdict(day.last.mean, 170.0))
    assert found.origin.name == UNDETERMINED


def test_two_that_moved_alike_are_not_told_apart(normal: FeatureNormal) -> None:
    sent: list[float | None] = [value - 10 for value in values_of(400, 7)]
    ours: list[float | None] = [value - 20 for value in values_of(400, 7)]
    day = day_of({stage: sent if stage in POINTS[:2] else ours for stage in POINTS})
    found = diagnose(KEY, {"height": normal}, {"height": day}, verdict(day.last.mean, 170.0))
    assert found.origin.name == UNDETERMINED


def test_a_conversion_that_does_its_work_is_not_blamed(normal: FeatureNormal) -> None:
    # Declared values are canonical already, so an honest change of units changes nothing.
    found = diagnose(KEY, {"height": normal}, {"height": usual_day(50)}, verdict(160.0, 170.0))
    assert found.origin.name != "normalise"


@given(
    stage=st.sampled_from(POINTS[1:]),
    share=st.integers(1, 100),
    factor=st.sampled_from([1 / 2.54, 2.54, 10.0, 0.1, 0.97, 1.03]),
    seed=st.integers(100, 10_000),
    count=st.sampled_from([20, 100, 400]),
)
@settings(max_examples=60, deadline=None)
def test_the_client_is_never_accused_of_a_stages_fault(
    normal: FeatureNormal, stage: str, share: int, factor: float, seed: int, count: int
) -> None:
    def change(number: int, value: float) -> float:
        return value * factor if number % 100 < share else value

    day = broken_after(stage, seed, change, count)
    found = diagnose(KEY, {"height": normal}, {"height": day}, verdict(day.last.mean, 170.0))
    assert found.origin.name in (stage, UNDETERMINED)


def test_a_field_that_a_stage_loses_is_the_stages_fault(normal: FeatureNormal) -> None:
    lost = broken_after("normalise", 9, lambda number, value: None if number % 3 else value)
    assert origin_of_missing(normal, lost, departs=True).name == "normalise"
    left_out = broken_after("decode", 9, lambda number, value: None if number % 3 else value)
    assert origin_of_missing(normal, left_out, departs=True).name == CLIENT


def refusing(stage: str, keep: Callable[[int, float], bool], sent: list[float]) -> FeatureDay:
    place = POINTS.index(stage)
    kept = [value for number, value in enumerate(sent) if keep(number, value)]
    return day_of({one: [*(sent if POINTS.index(one) < place else kept)] for one in POINTS})


def test_records_that_were_never_sent_are_the_clients(normal: FeatureNormal) -> None:
    day = usual_day(60, count=150)
    found = diagnose(VOLUME, {"height": normal}, {"height": day}, verdict(150, 400, "volume"))
    assert found.origin.name == CLIENT


VOLUME = KpiKey("shop-001", "widget-event", "volume")
RANGE = {"validate/implausible-height/height": 200}


def test_a_stage_that_refuses_good_records_is_at_fault(normal: FeatureNormal) -> None:
    day = refusing("validate", lambda number, _: number % 2 == 0, values_of(400, 61))
    found = diagnose(
        VOLUME, {"height": normal}, {"height": day}, verdict(200, 400, "volume"), RANGE
    )
    assert found.origin.name == "validate"


def test_a_rule_that_refuses_what_the_client_spoiled_is_not(normal: FeatureNormal) -> None:
    sent = [v / 2.54 if n % 2 else v for n, v in enumerate(values_of(400, 62))]
    day = refusing("validate", lambda _, value: value > 100, sent)
    for key, value, expected in (
        (VOLUME, 200.0, 400.0),
        (KpiKey("shop-001", "widget-event", "rejects"), 0.5, 0.0),
    ):
        told = verdict(value, expected, key.kpi)
        found = diagnose(key, {"height": normal}, {"height": day}, told, RANGE)
        assert found.origin.name == CLIENT
        assert "as sent" in found.origin.reason


@pytest.mark.parametrize("reason", ["decode/wrong-type/height", "validate/bad-time/time"])
def test_refusals_whose_values_tell_nothing_accuse_nobody(
    normal: FeatureNormal, reason: str
) -> None:
    day = refusing("validate", lambda number, _: number % 2 == 0, values_of(400, 63))
    key = KpiKey("shop-001", "widget-event", f"rejects.{reason}")
    told = verdict(0.5, 0.0, key.kpi)
    found = diagnose(key, {"height": normal}, {"height": day}, told, {reason: 200})
    assert found.origin.name == UNDETERMINED


def test_when_a_stage_refuses_all_it_does_not_look_like_silence(normal: FeatureNormal) -> None:
    reasons = {"validate/implausible-height/height": 400}
    told = verdict(0, 400, "volume")
    assert diagnose(VOLUME, {"height": normal}, {}, told, reasons).origin.name == UNDETERMINED
    assert diagnose(VOLUME, {"height": normal}, {}, told, {}).origin.name == CLIENT


def test_a_day_that_departs_is_not_learned(normal: FeatureNormal) -> None:
    day = broken_after("normalise", 70, inches(2))
    assert learn_days({"height": normal}, {"height": day}, set())["height"].means == normal.means
    client = broken_after("decode", 70, inches(100))
    learned = learn_days({"height": normal}, {"height": client}, {"mean.height"})
    assert learned["height"].means == normal.means


def test_a_stage_that_stays_changed_is_the_new_normal(normal: FeatureNormal) -> None:
    normals = {"height": normal}
    for seed in range(LASTING + 5):
        normals = learn_days(normals, {"height": broken_after("normalise", seed, inches(5))}, set())
    assert normals["height"].means["normalise"].mean < -1
    assert normals["height"].days >= 4
