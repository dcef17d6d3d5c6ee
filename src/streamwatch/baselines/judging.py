"""The seam between the judge and the baselines: begin, score, then learn.

Whoever brings better baselines replaces the three functions here and what stands behind them;
the judge knows nothing else of a baseline but ``is_warm`` and ``typical``.
"""

from streamwatch.baselines import mean, mix, shares, volume
from streamwatch.baselines.counts import VolumeBaseline
from streamwatch.baselines.fleetfactor import NONE, Common, Ratio
from streamwatch.baselines.mean import MeanBaseline
from streamwatch.baselines.mix import MixBaseline
from streamwatch.baselines.shares import ShareBaseline
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict

__all__ = ["Baseline", "Ratio", "begin", "begin_beside", "learn", "log_ratio", "score"]

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


def score(
    baseline: Baseline, reading: Reading, settings: JudgingSettings, common: Common = NONE
) -> Verdict:
    """Judge a reading by what was learned before it; never learns, never raises."""
    if isinstance(baseline, VolumeBaseline):
        return volume.score(baseline, reading, settings, common)
    if isinstance(baseline, MeanBaseline):
        return mean.score(baseline, reading, settings)
    if isinstance(baseline, ShareBaseline):
        return shares.score(baseline, reading, settings)
    return mix.score(baseline, reading, settings)


def learn(
    baseline: Baseline,
    reading: Reading,
    verdict: Verdict,
    settings: JudgingSettings,
    common: Common = NONE,
) -> Baseline:
    """The baseline after a judged reading; learning the same bucket again changes nothing."""
    if isinstance(baseline, VolumeBaseline):
        return volume.learn(baseline, reading, verdict, settings, common)
    if isinstance(baseline, MeanBaseline):
        return mean.learn(baseline, reading, verdict, settings)
    if isinstance(baseline, ShareBaseline):
        return shares.learn(baseline, reading, verdict)
    return mix.learn(baseline, reading, verdict)
