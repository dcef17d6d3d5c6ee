"""What is named when units go wrong."""

import math

import numpy as np
import pytest

from streamwatch.diagnosis.mixture import OUTLIERS
from streamwatch.diagnosis.unitfault import FACTORS, best, hypotheses
from streamwatch.domain.sketch import bin_of

CASES = [
    (feature, name, factor) for feature, some in FACTORS.items() for name, factor in some.items()
]
TYPICAL = {
    "height": (170.0, 9.0), "weight": (75.0, 14.0), "age": (37.0, 9.0), "price": (60.0, 22.0),
}  # fmt: skip


def sketch(values: list[float]) -> dict[int, int]:
    bins: dict[int, int] = {}
    for value in values:
        bins[bin_of(value)] = bins.get(bin_of(value), 0) + 1
    return bins


def drawn(feature: str, count: int, seed: int) -> list[float]:
    mean, sd = TYPICAL[feature]
    chance = np.random.default_rng(seed)
    return [mean * math.exp(float(chance.normal(0.0, sd / mean))) for _ in range(count)]


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize(
    ("feature", "name", "factor"), [case for case in CASES if case[0] in TYPICAL]
)
def test_every_unit_fault_is_named_with_its_share(
    feature: str, name: str, factor: float, share: float
) -> None:
    usual = sketch(drawn(feature, 4000, 1))
    values = [v * factor if n < share * 400 else v for n, v in enumerate(drawn(feature, 400, 2))]
    found = best(hypotheses(feature, {feature: usual}, {feature: sketch(values)}))
    assert found is not None
    assert found.name == name
    assert found.share == pytest.approx(share, abs=0.06)


def test_usual_values_have_no_explanation() -> None:
    for feature in TYPICAL:
        usual = {feature: sketch(drawn(feature, 4000, 1))}
        for seed in range(20, 40):
            now = {feature: sketch(drawn(feature, 300, seed))}
            assert best(hypotheses(feature, usual, now)) is None


def test_a_filler_is_named_with_its_value() -> None:
    usual = {"height": sketch(drawn("height", 4000, 1))}
    values = [100.0 if n % 4 == 0 else v for n, v in enumerate(drawn("height", 400, 2))]
    found = best(hypotheses("height", usual, {"height": sketch(values)}))
    assert found is not None
    assert found.name.startswith("one value for all")
    assert found.value == pytest.approx(100.0, rel=0.02)


def test_swapped_fields_are_named_only_if_both_moved() -> None:
    usual = {name: sketch(drawn(name, 4000, 1)) for name in ("height", "weight")}
    heights, weights = drawn("height", 300, 2), drawn("weight", 300, 3)
    swapped = {"height": sketch(weights), "weight": sketch(heights)}
    both = best(hypotheses("height", usual, swapped))
    assert both is not None
    assert both.name == "height and weight swapped"
    one = best(hypotheses("height", usual, {"height": sketch(weights), "weight": sketch(weights)}))
    assert one is None or one.name != "height and weight swapped"


def test_wild_values_are_given_no_unit() -> None:
    usual = {"weight": sketch(drawn("weight", 4000, 1))}
    chance = np.random.default_rng(5)
    wild = [float(chance.uniform(1, 5000)) if n % 5 == 0 else v
            for n, v in enumerate(drawn("weight", 400, 2))]  # fmt: skip
    found = hypotheses("weight", usual, {"weight": sketch(wild)})
    assert found[0].name == OUTLIERS
    assert best(found) is None


def test_too_few_usual_values_explain_nothing() -> None:
    usual, now = {"height": {bin_of(170.0): 5}}, {"height": {bin_of(67.0): 5}}
    assert hypotheses("height", usual, now) == []
    assert hypotheses("height", {}, now) == []
