"""The seam between the judge and the baselines: begin, score, then learn.

Whoever brings better baselines replaces the three functions here and what stands behind them;
the judge knows nothing else of a baseline but ``is_warm`` and ``typical``.
"""

from streamwatch.baselines import mean, volume
from streamwatch.baselines.counts import VolumeBaseline
from streamwatch.baselines.mean import MeanBaseline
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict

Baseline = VolumeBaseline | MeanBaseline


def begin(key: KpiKey) -> Baseline:
    """A baseline that has seen nothing.

    >>> begin(KpiKey("shop-001", "purchase", "volume")).is_warm
    False
    """
    return VolumeBaseline() if key.kpi == "volume" else MeanBaseline()


def score(baseline: Baseline, reading: Reading, settings: JudgingSettings) -> Verdict:
    """Judge a reading by what was learned before it; never learns, never raises."""
    if isinstance(baseline, VolumeBaseline):
        return volume.score(baseline, reading, settings)
    return mean.score(baseline, reading, settings)


def learn(
    baseline: Baseline, reading: Reading, verdict: Verdict, settings: JudgingSettings
) -> Baseline:
    """The baseline after a judged reading; learning the same bucket again changes nothing."""
    if isinstance(baseline, VolumeBaseline):
        return volume.learn(baseline, reading, verdict, settings)
    return mean.learn(baseline, reading, verdict, settings)
