"""Mixtures: usual values with a share of others, fitted to those that came.

All stand in the log-binned sketches of `domain.sketch`, in which multiplying is shifting.
"""

import math
from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.sketch import GAMMA, LOG_GAMMA, NOT_POSITIVE

OUTLIERS_BEHIND = 5.0
"""Log-likelihood that is taken from outliers: errors that follow a rule are far more frequent."""

LEAST_FILLED = 5
"""Values that a filler must explain; fewer are equal by chance."""

LEAST_USUAL = 30.0
"""Usual values below which their distribution is not known."""

_FILLER_TIMES = 5
"""A filler is that many times more frequent than the same value usually is."""

_DRIFTS = np.linspace(-1.5, 1.5, 13)
"""By how many bins the usual values may have drifted, as they do from day to day."""

COARSE = 3
"""The judge keeps so many bins as one, under the number of the one in the middle."""

_FLOOR = 2e-4
"""Share of values that may lie anywhere, so that an outlier refutes nothing."""

_KERNEL = np.array([1.0, 3.0, 5.0, 6.0, 5.0, 3.0, 1.0]) / 24
"""Smooths the usual values; bins are 2 % wide."""

_STEPS = 60
_PRECISION = 1e-6

Sketch = Mapping[int, float]
_Floats = NDArray[np.float64]

FILLER = "one value for all"
OUTLIERS = "values that may be anything"


class Hypothesis(msgspec.Struct, frozen=True):
    """A way in which values may have become wrong.

    Attributes:
        name: in words.
        share: of the values that it hits.
        gain: log-likelihood gained over no fault.
        factor: the right value times this is the wrong one; 0 where it is no factor.
        value: of a filler, the value; else 0.
    """

    name: str
    share: float
    gain: float
    factor: float = 0.0
    value: float = 0.0

    def shift(self, mean: float) -> float:
        """By how much it moves a mean."""
        if self.factor:
            return self.share * (self.factor - 1) * mean
        return self.share * (self.value - mean) if self.value else 0.0


class Values(msgspec.Struct, frozen=True):
    """The values to explain, bin by bin, beside their usual density.

    Attributes:
        low: the first bin.
        counts: of the values of now, shape (bins,).
        usual: density of the usual ones, drifted to where it fits best.
    """

    low: int
    counts: _Floats
    usual: _Floats

    @classmethod
    def of(cls, usual: Sketch, now: Sketch) -> "Values | None":
        """``None`` when too little is known."""
        if sum(usual.values()) < LEAST_USUAL or not sum(now.values()):
            return None
        places = [place for place in (*usual, *now) if place != NOT_POSITIVE]
        if not places:
            return None
        low, high = min(places) - 5, max(places) + 5
        counts = _counts(now, low, high - low + 1)
        return cls(low, counts, _drifted(density_of(usual, low, len(counts)), counts))

    @property
    def width(self) -> int:
        """How many bins."""
        return len(self.counts)

    def moved(self, factor: float) -> _Floats:
        """The density of the usual values times a factor."""
        return _displaced(self.usual, math.log(factor) / LOG_GAMMA)

    def fitted(self, name: str, other: _Floats, factor: float) -> Hypothesis:
        """The likeliest share of ``other`` in the values, by expectation and maximisation."""
        total = self.counts.sum()
        base, mixed = _anywhere(self.usual), _anywhere(other)
        share = 0.3
        for _ in range(_STEPS):
            posterior = share * mixed / ((1 - share) * base + share * mixed)
            new = float((self.counts * posterior).sum() / total)
            if abs(new - share) < _PRECISION:
                break
            share = new
        return Hypothesis(name, share, self.gain(other, share), factor)

    def outliers(self) -> Hypothesis:
        """Values that may be anything: they explain all a little, so they must lead clearly."""
        fitted = self.fitted(OUTLIERS, np.full(self.width, 1 / self.width), 0.0)
        return msgspec.structs.replace(fitted, gain=fitted.gain - OUTLIERS_BEHIND)

    def gain(self, other: _Floats, share: float) -> float:
        """Log-likelihood that this share of ``other`` gains."""
        base, mixed = _anywhere(self.usual), _anywhere(other)
        return float((self.counts * np.log(((1 - share) * base + share * mixed) / base)).sum())

    def filler(self) -> Hypothesis:
        """One value that is far more frequent than usual."""
        total = self.counts.sum()
        place = int(np.argmax(self.counts - total * self.usual))
        spike = np.zeros(self.width)
        spike[place] = 1.0
        value = 2 * GAMMA ** (place + self.low) / (GAMMA + 1)
        fitted = self.fitted(f"{FILLER}, about {value:.4g}", spike, 0.0)
        common = self.usual[place] > fitted.share / _FILLER_TIMES
        enough = fitted.share * total >= LEAST_FILLED and not common
        return msgspec.structs.replace(fitted, value=value, gain=fitted.gain if enough else 0.0)


def _counts(sketch: Sketch, low: int, width: int) -> _Floats:
    """The counts bin by bin; those of a coarse sketch are spread over the bins it took together."""
    counts = np.zeros(width)
    reach = COARSE // 2 if all(place % COARSE == COARSE // 2 for place in sketch) else 0
    for place, count in sketch.items():
        first, last = place - reach - low, place + reach - low
        if first >= 0 and last < width:
            counts[first : last + 1] += count / (2 * reach + 1)
    return counts


def density_of(sketch: Sketch, low: int, width: int) -> _Floats:
    """Half as seen, since prices are few, and half smoothed, since bodies are many."""
    counts = _counts(sketch, low, width)
    counts = (counts + np.convolve(counts, _KERNEL, mode="same")) / 2
    total = counts.sum()
    return counts / total if total > 0 else counts


def _anywhere(density: _Floats) -> _Floats:
    """The density, with a little everywhere."""
    result: _Floats = density * (1 - _FLOOR) + _FLOOR / len(density)
    return result


def _drifted(density: _Floats, counts: _Floats) -> _Floats:
    """The usual density where it fits today's values best."""
    drifts = [_displaced(density, float(places)) for places in _DRIFTS]
    return max(drifts, key=lambda one: float((counts * np.log(_anywhere(one))).sum()))


def _displaced(density: _Floats, places: float) -> _Floats:
    """The density so many bins higher; between two bins it is shared out."""
    whole = math.floor(places)
    rest = places - whole
    return (1 - rest) * _shifted(density, whole) + rest * _shifted(density, whole + 1)


def _shifted(density: _Floats, places: int) -> _Floats:
    result = np.zeros_like(density)
    if abs(places) < len(density):
        if places >= 0:
            result[places:] = density[: len(density) - places]
        else:
            result[:places] = density[-places:]
    return result
