"""Season: by which factor a weekday or an hour of the day differs from the average one."""

import math

import msgspec

from streamwatch.baselines.forgetting import FadingMean

WEEKDAYS = 7
SATURDAY = 5
DAY_HOURS = 24
PROFILE_HOURS = 2 * DAY_HOURS
"""The hours of a working day, then those of a day at the weekend."""
_REST_DAYS = 1.8


class Slot(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is known of one weekday or hour.

    Attributes:
        ratio: mean of value / expected without the season.
        zeros: how often, fading, it was empty.
    """

    ratio: FadingMean = FadingMean()
    zeros: float = 0.0

    def learn(self, ratio: float, weight: float, keep: float, *, empty: bool) -> "Slot":
        """The slot after one more reading of it; what was known keeps the share ``keep``."""
        zeros = self.zeros * keep + (weight if empty else 0.0)
        return Slot(self.ratio.learn(ratio, weight, keep), zeros)

    def factor(self, prior: float) -> float:
        """The ratio, shrunk towards 1 as if ``prior`` readings without season had been seen."""
        known = self.ratio.weight
        return (prior + known * self.ratio.mean) / (prior + known)

    def closed(self, by_chance: float) -> float:
        """Probability that the shop rests in this slot.

        0 before two recent empty readings, or as long as chance explains them.

        Args:
            by_chance: probability of an empty reading in a shop that does not rest.
        """
        expected = self.ratio.weight * by_chance
        if self.zeros < _REST_DAYS or self.zeros < expected + 2 * math.sqrt(expected) + 1:
            return 0.0
        return self.zeros / (self.ratio.weight + 0.5)


Season = tuple[Slot, ...]


def flat(slots: int) -> Season:
    """A season that says nothing yet."""
    return (Slot(),) * slots


def replaced(season: Season, place: int, slot: Slot) -> Season:
    """The season with one slot changed."""
    return (*season[:place], slot, *season[place + 1 :])


def weekday_prior(level: float) -> float:
    """How many readings the guess "no season" is worth: the more the less a shop sends."""
    return 1.5 / (1 + level / 50) + 0.1


def hour_prior(level: float) -> float:
    """The same for hours, whose factors lie far from 1 at night."""
    return 1 / (1 + level)
