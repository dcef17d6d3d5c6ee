"""How far a window of rows lies from what was expected, and whether that was ever seen before.

Series of counts by the minute come in bursts: their tails are so heavy that any fixed number
of standard deviations alarms daily on one series and never on the next. So a departure is
unusual when it is far (standard deviations of the window's own history) *and* passes the
largest recent one, a record that fades over weeks, by a margin. That is Pareto reasoning
with the record as the one order statistic: whatever the tail's index, passing the record by a
constant factor is about equally rare in every series.
"""

import math
from collections import deque

import msgspec

from streamwatch.baselines.tails import student_ratio
from streamwatch.series.cadence import Cadence
from streamwatch.series.points import Sensitivity

_FLOOR = 1e-6
_MOST = 25.0
_LEAST_FREEDOM = 3.0
YOUNG_ROWS = 20
"""Rows before a window's spread is known well enough to speak of records."""
_NOISES = 3.0
"""Standard deviations that are added to departure and record alike, so that a series without
any large departure does not alarm at the first small one."""


OLD_ROWS = 1_000
"""Rows from which a record is old: of few rows it is soon passed by chance."""


class Window(msgspec.Struct, frozen=True):
    """Rows that are judged together, and in which directions."""

    rows: int
    high: bool
    low: bool


FINE_WINDOWS = (Window(3, high=True, low=False), Window(12, high=True, low=True),
                Window(72, high=False, low=True))  # fmt: skip
"""For steps below half an hour; a single row there is often one loud moment."""

COARSE_WINDOWS = (Window(1, high=True, low=True), Window(3, high=True, low=True),
                  Window(7, high=True, low=True))  # fmt: skip


class Found(msgspec.Struct, frozen=True):
    """The most surprising window at a row.

    Attributes:
        surprise: 0 at the limit, below it usual.
        deviations: signed, in standard deviations of the window.
        rows: how many rows the window holds.
    """

    surprise: float
    deviations: float
    rows: int


class WindowTrack:
    """One window that moves over the series, with its spread and its records."""

    def __init__(self, window: Window, cadence: Cadence, *, counts: bool) -> None:
        self.window = window
        self._counts = counts
        self._residuals: deque[float] = deque(maxlen=window.rows)
        self._means: deque[float] = deque(maxlen=window.rows)
        # A fall enters the window row by row; its own beginning must not be its record.
        self._coming_low: deque[float] = deque(maxlen=window.rows + 1)
        self._gain = 1 / cadence.rows(1.7, 60)
        self._fade = 1 - 1 / cadence.rows(17, 365)
        self._spread_high = self._spread_low = 0.3 if counts else 0.0
        self._single = 0.0
        self._seen = 0
        self._record_high = 0.0
        self._record_low = 0.0

    def clear(self) -> None:
        """Rows were left out: the window begins again."""
        self._residuals.clear()
        self._means.clear()

    def band(self, expected: float, limits: Sensitivity, single: float) -> tuple[float, float]:
        """How far below and above a whole window may lie without being unusual."""
        self._single = single
        stretch = math.exp(self._beyond(limits))
        low, high = self._unit(expected, high=False), self._unit(expected, high=True)
        noise = _NOISES * high
        threshold = self._threshold(limits)
        upper = max(threshold * high, stretch * (self._record_high + noise) - noise)
        record = self._record_low + _NOISES
        lower = low * max(threshold, stretch * record - _NOISES)
        return lower, upper

    def take(
        self, residual: float, expected: float, limits: Sensitivity, single: float
    ) -> Found | None:
        """Judge the window that ends with a row, then learn it; ``None`` while it fills.

        Args:
            residual: how far the row lies from what was expected.
            expected: what that was.
            limits: when a departure is unusual.
            single: variance of a single row: a window varies by no less than as many
                independent rows do, whatever few windows show.
        """
        self._single = single
        self._residuals.append(residual)
        self._means.append(expected)
        rows = self.window.rows
        if len(self._residuals) < rows:
            return None
        mean = sum(self._means) / rows
        departure = sum(self._residuals) / rows
        unit = self._unit(mean, high=departure >= 0)
        found = self._judge(departure, unit, limits)
        # Upward the record is kept in the value's unit, since bursts do not scale with the
        # time of day; downward in deviations, since there the level is the bound.
        self._coming_low.append(-departure / unit)
        if self._seen >= YOUNG_ROWS:
            self._record_high = max(self._record_high * self._fade, departure)
            self._record_low = max(self._record_low * self._fade, self._coming_low[0])
        self._learn_spread(departure, mean)
        return found

    def _judge(self, departure: float, unit: float, limits: Sensitivity) -> Found | None:
        deviations = departure / unit
        if departure >= 0:
            if not self.window.high:
                return None
            noise = _NOISES * unit
            beyond = math.log((departure + noise) / (self._record_high + noise))
        else:
            if not self.window.low:
                return None
            beyond = math.log((-deviations + _NOISES) / (self._record_low + _NOISES))
        far = math.log(max(abs(deviations), 1e-3) / self._threshold(limits))
        return Found(min(beyond - self._beyond(limits), far), deviations, self.window.rows)

    def _beyond(self, limits: Sensitivity) -> float:
        """By how much (as a logarithm) a record must be passed: by more while it is young."""
        young = math.log(OLD_ROWS / max(self._seen, 1))
        return limits.beyond * (1 + max(young, 0.0))

    def _threshold(self, limits: Sensitivity) -> float:
        """Standard deviations that are far, of values whose spread is known from few windows.

        Those of a Student that are as improbable.
        """
        if self._counts:
            return limits.threshold
        windows = min(self._seen, 2 / self._gain) / self.window.rows
        return student_ratio(limits.threshold, max(windows, _LEAST_FREEDOM))

    def _unit(self, mean: float, *, high: bool) -> float:
        """One standard deviation of a window, on one side: skewed values differ in it."""
        noise, scale = self._noise(mean)
        spread = self._spread_high if high else self._spread_low
        spread = max(spread, self._single / self.window.rows)
        return max(math.sqrt(noise + spread * scale), _FLOOR * abs(mean), 1e-9)

    def _noise(self, mean: float) -> tuple[float, float]:
        """Counting noise of the window's mean, and what its spread is relative to."""
        if self._counts:
            return (mean + 1.0) / self.window.rows, mean * mean
        return 0.0, 1.0

    def _learn_spread(self, departure: float, mean: float) -> None:
        self._seen += 1
        if self._counts:
            noise, scale = self._noise(mean)
            excess = (departure * departure - noise) / (scale + 0.01)
            most = 9 * self._spread_high + 3 / (mean * self.window.rows + 0.1)
            gain = max(self._gain, 1 / (self._seen + YOUNG_ROWS))
            spread = self._spread_high + gain * (min(excess, most) - self._spread_high)
            self._spread_high = self._spread_low = max(spread, 0.003)
            return
        gain = max(self._gain, 1 / self._seen)
        square = 2 * departure * departure
        young = self._seen <= YOUNG_ROWS
        most_high = math.inf if young else _MOST * self._spread_high + _FLOOR * mean * mean
        most_low = math.inf if young else _MOST * self._spread_low + _FLOOR * mean * mean
        high = square if departure > 0 else 0.0
        low = square if departure < 0 else 0.0
        self._spread_high += gain * (min(high, most_high) - self._spread_high)
        self._spread_low += gain * (min(low, most_low) - self._spread_low)
