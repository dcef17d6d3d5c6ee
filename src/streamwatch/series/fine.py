"""The model of a series in fine or uneven steps: level, season, windows."""

import math
from collections.abc import Callable

from streamwatch.series.cadence import Cadence
from streamwatch.series.departures import COARSE_WINDOWS, FINE_WINDOWS, Found, WindowTrack
from streamwatch.series.points import Judged, Sensitivity, to_score
from streamwatch.series.profile import Profile

_FINE_BELOW_MS = 1_800_000
_CLIP = 5.0
_LEAST_LEVEL = 0.02
_GAP_STEPS = 3
_WARMUP_DAYS = 2.0
_WARMUP_ROWS = 28.0


class FineModel:
    """A level that follows within a day, a season by time of day, and windows over both.

    Args:
        cadence: how the series comes.
        limits: when a departure is unusual.
        in_words: how a value is told.
    """

    def __init__(
        self,
        cadence: Cadence,
        limits: Sensitivity,
        in_words: Callable[[float], str] = "{:.6g}".format,
    ) -> None:
        self._cadence = cadence
        self._in_words = in_words
        self._limits = limits
        self._counts = cadence.kind == "count"
        self._profile = Profile(cadence, 1.0 if self._counts else 0.0)
        windows = FINE_WINDOWS if cadence.step < _FINE_BELOW_MS else COARSE_WINDOWS
        self._tracks = [WindowTrack(window, cadence, counts=self._counts) for window in windows]
        self._lows = next(track for track in self._tracks if track.window.low)
        self._highs = next(track for track in self._tracks if track.window.high)
        self._memory = cadence.rows(1.0, 28)
        self._wanted = math.ceil(cadence.rows(_WARMUP_DAYS, _WARMUP_ROWS))
        self._seen = 0
        self._level = 0.0
        self._wobble = 0.3 if self._counts else 0.0
        self._last = 0
        self._since: int | None = None
        self._sign = 0

    def judge(self, time: int, value: float) -> Judged:
        """Judge a row by what came before it, then learn it."""
        if self._seen and time - self._last > _GAP_STEPS * self._cadence.step:
            for track in self._tracks:
                track.clear()
        self._last = time
        if not self._seen:
            self._level = value
        expected = self._expected(time)
        low = self._lows.band(expected, self._limits, self._single())[0]
        high = self._highs.band(expected, self._limits, self._single())[1]
        found = [
            track.take(value - expected, expected, self._limits, self._single())
            for track in self._tracks
        ]
        worst = max((one for one in found if one), key=_surprise, default=None)
        self._learn(time, value, expected)
        self._seen += 1
        if self._seen <= self._wanted:
            return Judged("warming", reason=f"{self._seen} of {self._wanted} rows seen")
        lower = expected - low
        return self._verdict(
            value, worst, expected, (max(lower, 0.0) if self._counts else lower, expected + high)
        )

    def _verdict(
        self, value: float, worst: Found | None, expected: float, band: tuple[float, float]
    ) -> Judged:
        score = to_score(worst.surprise) if worst else 0.0
        reason = ""
        unusual = worst is not None and worst.surprise >= 0
        if worst is not None and unusual:
            self._sign = 1 if worst.deviations > 0 else -1
            self._since = self._last
            reason = self._reason(value, expected, worst)
        elif self._since is not None:
            unusual = self._lasts(worst)
            if unusual:
                reason = f"goes on since {(self._last - self._since) / 60_000:.0f} minutes"
            else:
                self._since = None
        return Judged("unusual" if unusual else "usual", score, expected, band[0], band[1], reason)

    def _lasts(self, worst: Found | None) -> bool:
        """Whether the departure that began before is still as far as one must be."""
        if worst is None:
            return False
        return worst.deviations * self._sign >= self._limits.threshold

    def _reason(self, value: float, expected: float, found: Found) -> str:
        side = "above" if found.deviations > 0 else "below"
        what = self._in_words(value) if found.rows == 1 else f"mean of {found.rows} rows"
        return (
            f"{what} {abs(found.deviations):.1f} standard deviations {side} the expected "
            f"{self._in_words(expected)}, and beyond what the last weeks saw"
        )

    def _single(self) -> float:
        """Variance of a single value; of counts the windows know it themselves."""
        return 0.0 if self._counts else self._wobble

    def _expected(self, time: int) -> float:
        effect = self._profile.effect(time)
        return self._level * effect if self._counts else self._level + effect

    def _learn(self, time: int, value: float, expected: float) -> None:
        """Follow level, season and wobble, by a value that is cut off where it is far out."""
        distance = value - expected
        if self._counts:
            unit = math.sqrt(expected + self._wobble * expected * expected + 1)
            scale = expected * expected
            seen = (distance * distance - expected) / (scale + 0.01)
            most = 9 * self._wobble + 3 / (expected + 0.1)
            gain = 1 / self._cadence.rows(1.7, 60)
            self._wobble = max(self._wobble + gain * (min(seen, most) - self._wobble), 0.01)
        else:
            gain = max(1 / self._cadence.rows(1.7, 60), 1 / (self._seen + 1))
            unit = math.sqrt(self._wobble) if self._seen > _WARMUP_ROWS else math.inf
            seen = min(distance * distance, max(9 * self._wobble, 1e-12 * expected * expected))
            seen = seen if self._seen > _WARMUP_ROWS else distance * distance
            self._wobble += gain * (seen - self._wobble)
        near = expected + max(-_CLIP * unit, min(distance, _CLIP * unit))
        self._learn_level(time, value, near)

    def _learn_level(self, time: int, value: float, near: float) -> None:
        effect = self._profile.effect(time)
        gain = max(1 / self._memory, 1 / (self._seen + 1))
        young = self._seen <= self._memory
        if self._counts:
            bare = value if young else near / max(effect, 1e-3)
            self._level = max(self._level + gain * (bare - self._level), _LEAST_LEVEL)
            self._profile.learn(time, min(near / max(self._level, 0.2), 20.0))
        else:
            bare = (value if young else near) - effect
            self._level += gain * (bare - self._level)
            self._profile.learn(time, near - self._level)


def _surprise(found: Found) -> float:
    return found.surprise
