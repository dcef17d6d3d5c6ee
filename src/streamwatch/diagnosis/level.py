"""A level that is learned from usual days, the older ones counting less."""

import msgspec

KEEP = 1 - 1 / 21
"""A day's weight after one more day."""

SKETCH_DAYS = 21
"""Days after which a new sketch is begun; the one before is kept beside it."""


class Level(msgspec.Struct, frozen=True, array_like=True):
    """A fading weighted mean of daily values, and their variance.

    >>> level = Level().learn(10.0, 1.0).learn(12.0, 1.0)
    >>> round(level.mean, 2), round(level.variance, 2)
    (11.02, 1.0)
    """

    weight: float = 0.0
    mean: float = 0.0
    variance: float = 0.0

    def learn(self, value: float, weight: float) -> "Level":
        """The level after one more day of that weight."""
        total = KEEP * self.weight + weight
        share = weight / total
        distance = value - self.mean
        variance = (1 - share) * (self.variance + share * distance * distance)
        return Level(total, self.mean + share * distance, variance)


def added(sketch: dict[int, int], more: dict[int, int]) -> dict[int, int]:
    """Both sketches together.

    >>> added({1: 2}, {1: 1, 5: 1})
    {1: 3, 5: 1}
    """
    total = dict(sketch)
    for place, count in more.items():
        total[place] = total.get(place, 0) + count
    return total
