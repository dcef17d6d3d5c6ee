"""An exponentially weighted mean: River's ``Mean`` whose weight fades before each update.

River's own ``EWMean`` keeps its state in compiled code and takes no weights; ``Mean`` takes
them, and is rebuilt exactly from two numbers by one weighted update. So a baseline stores
numbers, never pickled objects.
"""

import msgspec
from river import stats


class FadingMean(msgspec.Struct, frozen=True, array_like=True):
    """A mean and the weight of what it rests on.

    >>> FadingMean(10.0, 2.0).learn(16.0, weight=1.0, keep=1.0)
    FadingMean(mean=12.0, weight=3.0)
    """

    mean: float = 0.0
    weight: float = 0.0

    def learn(self, value: float, weight: float, keep: float) -> "FadingMean":
        """The mean after one more value; what was known keeps the share ``keep``."""
        if weight <= 0:
            return FadingMean(self.mean, self.weight * keep)
        running = stats.Mean()
        if self.weight > 0:
            running.update(self.mean, self.weight * keep)
        running.update(value, weight)
        return FadingMean(float(running.get()), float(running.n))
