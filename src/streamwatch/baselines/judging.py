"""The seam between the judge and the baselines: begin, score, then learn.

Whoever brings better baselines replaces the three functions here and what stands behind them;
the judge knows nothing else of a baseline but ``is_warm`` and ``typical``.
"""

import msgspec

from streamwatch.baselines import mean, mix, shares, volume
from streamwatch.baselines.counts import VolumeBaseline, expected_count
from streamwatch.baselines.fleetfactor import NONE, Common, Ratio
from streamwatch.baselines.meanmodel import MeanBaseline
from streamwatch.baselines.mix import MixBaseline
from streamwatch.baselines.shares import ShareBaseline
from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict

__all__ = ["Baseline", "Ratio", "begin", "begin_beside", "learn", "log_ratio", "score"]

FORMER_MS = 35 * DAY_MS
"""How long what was normal before a lasting change is still known; a week of it is the change."""

Baseline = VolumeBaseline | MeanBaseline | ShareBaseline | MixBaseline


def begin(key: KpiKey) -> Baseline:
    """A baseline that has seen nothing.

    >>> begin(KpiKey("shop-001", "purchase", "volume")).is_warm
    False
    """
    kind = key.kpi.partition(".")[0]
    if kind == "volume":
        return VolumeBaseline()
    if kind == "mean":
        return MeanBaseline()
    return MixBaseline() if kind == "mix" else ShareBaseline()


def begin_beside(key: KpiKey, total: Baseline | None) -> Baseline:
    """The baseline of a reason that comes up for the first time beside the total of its kind."""
    if isinstance(total, ShareBaseline) and total.buckets:
        return shares.never_seen(total)
    return begin(key)


def log_ratio(baseline: Baseline, reading: Reading) -> Ratio | None:
    """What a volume tells about the common factor of its bucket; ``None`` if nothing."""
    if isinstance(baseline, VolumeBaseline):
        return volume.log_ratio(baseline, reading)
    return None


def expected_volume(baseline: Baseline | None, reading: Reading) -> float | None:
    """What a volume should be by the shop's own level and season; ``None`` while unknown."""
    if isinstance(baseline, VolumeBaseline) and baseline.is_warm:
        return expected_count(baseline, reading)
    return None


def level_of(baseline: Baseline | None) -> float:
    """The level of a warm volume, else 0."""
    return baseline.level.mean if isinstance(baseline, VolumeBaseline) and baseline.is_warm else 0.0


def moved(baseline: Baseline, factor: float) -> Baseline:
    """A part's baseline when the whole has a new level."""
    if isinstance(baseline, VolumeBaseline) and baseline.is_warm:
        return volume.moved(baseline, factor)
    return baseline


def sharing(hours: Baseline | None, days: Baseline | None) -> Baseline | None:
    """The hours' baseline, told how much the days wobble that they are part of."""
    if not isinstance(hours, VolumeBaseline) or not isinstance(days, VolumeBaseline):
        return hours
    return msgspec.structs.replace(hours, shared=days.wobble)


def score(
    baseline: Baseline, reading: Reading, settings: JudgingSettings, common: Common = NONE
) -> Verdict:
    """Judge a reading by what was learned before it; never learns, never raises.

    A KPI that returns to where it was before a lasting change is at its normal again: a fault
    that took weeks to mend must not make its end an incident too.
    """
    verdict = _score(baseline, reading, settings, common)
    if verdict.state == "unusual" and baseline.former is not None:
        before = _score(baseline.former, reading, settings, common)
        if before.state == "usual":
            reason = f"{before.reason}; as before the last lasting change"
            return msgspec.structs.replace(before, reason=reason)
    return verdict


def learn(
    baseline: Baseline,
    reading: Reading,
    verdict: Verdict,
    settings: JudgingSettings,
    common: Common = NONE,
) -> Baseline:
    """The baseline after a judged reading; learning the same bucket again changes nothing."""
    former = baseline.former
    if former is not None:
        if reading.bucket - former.last_bucket > FORMER_MS:
            baseline = msgspec.structs.replace(baseline, former=None)
        elif (
            verdict.state == "usual"
            and reading.bucket > baseline.last_bucket
            and _score(baseline, reading, settings, common).state == "unusual"
        ):
            baseline = former
    return _learn(baseline, reading, verdict, settings, common)


def _score(
    baseline: Baseline, reading: Reading, settings: JudgingSettings, common: Common
) -> Verdict:
    if isinstance(baseline, VolumeBaseline):
        return volume.score(baseline, reading, settings, common)
    if isinstance(baseline, MeanBaseline):
        return mean.score(baseline, reading, settings)
    if isinstance(baseline, ShareBaseline):
        return shares.score(baseline, reading, settings)
    return mix.score(baseline, reading, settings)


def _learn(
    baseline: Baseline,
    reading: Reading,
    verdict: Verdict,
    settings: JudgingSettings,
    common: Common,
) -> Baseline:
    if isinstance(baseline, VolumeBaseline):
        return volume.learn(baseline, reading, verdict, settings, common)
    if isinstance(baseline, MeanBaseline):
        return mean.learn(baseline, reading, verdict, settings)
    if isinstance(baseline, ShareBaseline):
        return shares.learn(baseline, reading, verdict)
    return mix.learn(baseline, reading, verdict)
