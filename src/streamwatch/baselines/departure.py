"""A lasting departure: when does a new level become the normal one?

A baseline does not learn what is unusual. So that a change that stays does not alarm for
ever, the readings of a departure are gathered apart, and once they have been numerous,
on one side and steady, the baseline starts again at their level.
"""

import msgspec
from river import stats

_OPPOSED_ENDS_IT = 2


class Departure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The readings since a KPI left its normal.

    Attributes:
        sign: -1 below normal, 1 above.
        readings: how many belong to it.
        mean, squares: their level and summed squared deviations.
        opposed: readings in a row that fit the old normal better.
    """

    sign: int
    readings: int
    mean: float
    squares: float = 0.0
    opposed: int = 0

    def variance(self) -> float:
        """Variance of the readings' levels."""
        return self.squares / (self.readings - 1) if self.readings > 1 else 0.0


def follow(
    departure: Departure | None, level: float, normal: float, *, unusual: bool
) -> Departure | None:
    """The departure after one more reading.

    Args:
        departure: the one that is under way.
        level: the reading's level, free of season.
        normal: the baseline's level.
        unusual: whether the reading was judged unusual.
    """
    sign = 1 if level > normal else -1
    if departure is None or (unusual and departure.sign != sign):
        return Departure(sign, 1, level) if unusual else None
    if unusual or abs(level - departure.mean) < abs(level - normal):
        running = stats.Var()
        running.update(departure.mean, departure.readings)
        running.update(level)
        squares = departure.squares + float(running.get()) * departure.readings
        return Departure(sign, departure.readings + 1, float(running.mean.get()), squares)
    if departure.opposed + 1 >= _OPPOSED_ENDS_IT:
        return None
    return msgspec.structs.replace(departure, opposed=departure.opposed + 1)
