"""An exponentially weighted mean whose weight fades before each update.

River's ``Mean`` gives the same when it is begun with the faded weight, and its ``EWMean`` takes no
weights. Two numbers are stored, never an object.
"""

import msgspec


class FadingMean(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A mean and the weight of what it rests on.

    >>> FadingMean(10.0, 2.0).learn(16.0, weight=1.0, keep=1.0)
    FadingMean(mean=12.0, weight=3.0)
    """

    mean: float = 0.0
    weight: float = 0.0

    def learn(self, value: float, weight: float, keep: float) -> "FadingMean":
        """The mean after one more value; what was known keeps the share ``keep``."""
        known = self.weight * keep
        if weight <= 0:
            return FadingMean(self.mean, known)
        total = known + weight
        return FadingMean(self.mean + (value - self.mean) * weight / total, total)
