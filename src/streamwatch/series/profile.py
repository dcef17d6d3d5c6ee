"""The season of a fine series: what a time of day, on a working day or a weekend, changes.

Factors for counts, differences for values. What the two kinds of day know of a slot is drawn
towards what both know together, and that towards "no season", as long as few rows speak.
"""

from datetime import UTC, datetime

from streamwatch.domain.cells import DAY_MS
from streamwatch.series.cadence import Cadence

_DAY_SLOTS = 48
_SATURDAY = 5
_PRIOR_DAYS = 5.0
_MEMORY_DAYS = 55.0


class Profile:
    """A season that is learned row by row.

    Args:
        cadence: of the series; series in steps of half a day or more have a slot for each
            weekday, finer ones a slot for each half hour of the day or longer step.
        neutral: 1 for factors, 0 for differences.
    """

    def __init__(self, cadence: Cadence, neutral: float) -> None:
        self._neutral = neutral
        self._weekly = cadence.step > DAY_MS // 3
        per_day = max(min(_DAY_SLOTS, DAY_MS // cadence.step), 1)
        self._width = DAY_MS // per_day
        slots = 7 if self._weekly else per_day
        in_slot = DAY_MS / cadence.step / (7 if self._weekly else per_day)
        self._prior = max(_PRIOR_DAYS * in_slot, 3.0)
        self._keep = 1 - 1 / max(_MEMORY_DAYS * in_slot, 12.0)
        self._both = [[0.0, 0.0] for _ in range(slots)]
        self._kinds = [[[0.0, 0.0] for _ in range(slots)] for _ in range(2)]

    def effect(self, time: int) -> float:
        """The factor, or difference, at a time."""
        slot, weekend = self._place(time)
        weight, total = self._both[slot]
        both = (total + self._prior * self._neutral) / (weight + self._prior)
        weight, total = self._kinds[weekend][slot]
        return (total + self._prior * both) / (weight + self._prior)

    def learn(self, time: int, effect: float) -> None:
        """Take in the effect that a row showed."""
        slot, weekend = self._place(time)
        for known in (self._both[slot], self._kinds[weekend][slot]):
            known[0] = known[0] * self._keep + 1.0
            known[1] = known[1] * self._keep + effect

    def _place(self, time: int) -> tuple[int, int]:
        if self._weekly:
            return datetime.fromtimestamp(time / 1000, UTC).weekday(), 0
        day, within = divmod(time, DAY_MS)
        weekday = (day + 3) % 7
        slot = min(within // self._width, len(self._both) - 1)
        return slot, int(weekday >= _SATURDAY)
