"""What a person says about an incident, taken into the baseline.

``expected`` and ``client-error``: the window says nothing about the shop's normal; what was
gathered as a departure is dropped, so that it never becomes the new normal. ``new-trend``: the
baseline starts again at the new level at once. ``false-alarm``: such a departure is usual, so
the baseline becomes as wide as it takes.
"""

import math

import msgspec

from streamwatch.baselines.counts import VolumeBaseline
from streamwatch.baselines.forgetting import FadingMean
from streamwatch.baselines.judging import Baseline
from streamwatch.baselines.meanmodel import MeanBaseline
from streamwatch.baselines.mix import MixBaseline
from streamwatch.baselines.shares import ShareBaseline
from streamwatch.baselines.windows import Run
from streamwatch.domain.acknowledgements import AcknowledgementKind

_NEW_LEVEL_READINGS = 3.5
_WIDER = 3.0
"""Deviations at which what was a false alarm shall lie from now on."""


def repair(
    baseline: Baseline, kind: AcknowledgementKind, value: float, expected: float
) -> Baseline:
    """The baseline after a person's word on a bucket with this value.

    >>> from streamwatch.baselines.shares import ShareBaseline
    >>> known = ShareBaseline(hits=30.0, trials=1000.0, buckets=20)
    >>> round(repair(known, "new-trend", 0.2, 0.03).rate, 2)
    0.2
    """
    if kind == "new-trend":
        return _at_new_level(baseline, value, expected)
    if kind == "false-alarm":
        return _widened(baseline, value, expected)
    if isinstance(baseline, MixBaseline):
        return msgspec.structs.replace(baseline, departed=0)
    if isinstance(baseline, VolumeBaseline):
        return msgspec.structs.replace(baseline, departure=None, run=Run())
    return msgspec.structs.replace(baseline, departure=None)


def _at_new_level(baseline: Baseline, value: float, expected: float) -> Baseline:
    """As if the departure had lasted long enough; zero is no level."""
    if not math.isfinite(value) or value <= 0:
        return baseline
    if isinstance(baseline, VolumeBaseline):
        departure = baseline.departure
        level = baseline.level.mean * value / expected if expected > 0 else value
        if departure is not None:
            level = departure.mean
        if level <= 0:
            return baseline
        fresh = FadingMean(level, _NEW_LEVEL_READINGS)
        return msgspec.structs.replace(baseline, level=fresh, departure=None, run=Run())
    if isinstance(baseline, MeanBaseline):
        departure = baseline.departure
        mean = value if departure is None else departure.mean
        weight = baseline.center.weight / 4
        return msgspec.structs.replace(baseline, center=FadingMean(mean, weight), departure=None)
    if isinstance(baseline, ShareBaseline):
        departure = baseline.departure
        rate = min(value if departure is None else departure.mean, 1.0)
        trials = baseline.trials / 4
        return msgspec.structs.replace(baseline, hits=rate * trials, trials=trials, departure=None)
    return MixBaseline(scatter=baseline.scatter, last_bucket=baseline.last_bucket)


def _widened(baseline: Baseline, value: float, expected: float) -> Baseline:
    if not (math.isfinite(value) and math.isfinite(expected)):
        return baseline
    if isinstance(baseline, MeanBaseline):
        wide = ((value - expected) / _WIDER) ** 2
        between = max(baseline.between, wide)
        return msgspec.structs.replace(baseline, between=between, departure=None)
    if isinstance(baseline, MixBaseline):
        return msgspec.structs.replace(baseline, scatter=baseline.scatter * 4, departed=0)
    wide = ((value - expected) / max(expected, 1e-6) / _WIDER) ** 2
    wobble = max(baseline.wobble, min(wide, 1.0))
    if isinstance(baseline, VolumeBaseline):
        return msgspec.structs.replace(baseline, wobble=wobble, departure=None, run=Run())
    return msgspec.structs.replace(baseline, wobble=wobble, departure=None)
