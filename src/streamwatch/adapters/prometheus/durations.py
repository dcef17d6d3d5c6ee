"""How long something took, by step, as a histogram."""

from bisect import bisect_left

import msgspec
from prometheus_client import Metric
from prometheus_client.core import HistogramMetricFamily


class _Times(msgspec.Struct):
    """The number of times under each bound and above the last, and their sum in seconds."""

    counts: list[int]
    total: float = 0.0


class Durations:
    """A histogram with the label ``step``.

    Args:
        name, words: of the metric.
        bounds: upper bounds, seconds, rising.
    """

    def __init__(self, name: str, words: str, bounds: tuple[float, ...]) -> None:
        self._name = name
        self._words = words
        self._bounds = bounds
        self._steps: dict[str, _Times] = {}

    def add(self, step: str, seconds: float) -> None:
        """It took so long once."""
        times = self._steps.get(step)
        if times is None:
            times = self._steps[step] = _Times([0] * (len(self._bounds) + 1))
        times.counts[bisect_left(self._bounds, seconds)] += 1
        times.total += seconds

    def metric(self) -> Metric:
        """The histogram."""
        family = HistogramMetricFamily(self._name, self._words, labels=("step",))
        bounds = [*(str(bound) for bound in self._bounds), "+Inf"]
        for step, times in sorted(self._steps.items()):
            below = 0
            cumulative: list[tuple[str, float]] = []
            for bound, count in zip(bounds, times.counts, strict=True):
                below += count
                cumulative.append((bound, below))
            family.add_metric([step], cumulative, times.total)
        return family
