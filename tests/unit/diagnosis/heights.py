"""Days of one feature at every stage, made by hand."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np

from streamwatch.diagnosis.normal import FeatureDay
from streamwatch.domain.cells import Moments, Transition
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.sketch import bin_of

POINTS = STAGES[:5]
MEAN, SD = 170.0, 9.0


def values_of(count: int, seed: int, mean: float = MEAN, sd: float = SD) -> list[float]:
    chance = np.random.default_rng(seed)
    return [float(chance.normal(mean, sd)) for _ in range(count)]


def day_of(stages: Mapping[str, list[float | None]]) -> FeatureDay:
    """A day from the values after every stage."""
    moments = {stage: moments_of(values) for stage, values in stages.items()}
    sketch: dict[int, int] = {}
    for value in list(stages.values())[-1]:
        if value is not None:
            sketch[bin_of(value)] = sketch.get(bin_of(value), 0) + 1
    changes = {}
    names = list(stages)
    for before, after in pairwise(names):
        pairs = zip(stages[before], stages[after], strict=False)
        differences = [b - a for a, b in pairs if a is not None and b is not None and a != b]
        if differences and len(stages[before]) == len(stages[after]):
            changes[after] = Transition(len(differences), sum(differences))
    return FeatureDay(moments, changes, sketch)


def moments_of(values: list[float | None]) -> Moments:
    result = Moments()
    for value in values:
        result += Moments(missing=1) if value is None else Moments(1, value)
    return result


def usual_day(seed: int, count: int = 400) -> FeatureDay:
    values: list[float | None] = [*values_of(count, seed)]
    return day_of(dict.fromkeys(POINTS, values))


def broken_after(
    stage: str, seed: int, change: Callable[[int, float], float | None], count: int = 400
) -> FeatureDay:
    """A day on which values are changed at a stage; ``decode`` stands for the client."""
    right: list[float | None] = [*values_of(count, seed)]
    wrong = [change(number, value or 0.0) for number, value in enumerate(right)]
    place = POINTS.index(stage)
    return day_of({one: right if POINTS.index(one) < place else wrong for one in POINTS})
