"""Values that are never below zero, judged by their cube roots.

Sums of money, durations and sizes are skewed: what is usual reaches farther above their mean than
below it. The cube root of such a (gamma-like) value is nearly normal (Wilson and Hilferty 1931), so
that standard deviations mean on its scale what they say, and zero needs no exception.
"""

import math

import msgspec

from streamwatch.series.cadence import Cadence
from streamwatch.series.fine import FineModel
from streamwatch.series.points import Judged, Sensitivity


class ProportionalModel:
    """The model of a fine series over the cube roots of its values.

    Args:
        cadence: how the series comes.
        limits: when a departure is unusual.
    """

    def __init__(self, cadence: Cadence, limits: Sensitivity) -> None:
        self._model = FineModel(cadence, limits, in_words=_in_words)

    def judge(self, time: int, value: float) -> Judged:
        """Judge a row by what came before it, then learn it."""
        judged = self._model.judge(time, math.cbrt(value))
        if judged.expected is None or judged.lower is None or judged.upper is None:
            return judged
        return msgspec.structs.replace(
            judged,
            expected=judged.expected**3,
            lower=max(judged.lower, 0.0) ** 3,
            upper=judged.upper**3,
        )


def _in_words(root: float) -> str:
    return f"{root**3:.6g}"
