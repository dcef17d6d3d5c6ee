"""The baseline of a share: missing fields, rejects, marks, returns per purchase, conversion.

``k`` of ``n`` is predicted as negative binomial around ``n * rate``, both scaled by
``1 / (1 - rate)``, which gives the variance of a binomial and its relative wobble from bucket
to bucket. A share above a half is judged by its complement.
"""

import msgspec

from streamwatch.baselines.departure import Departure, follow
from streamwatch.baselines.pace import PACES, half_wanted
from streamwatch.baselines.tails import count_band, count_deviation
from streamwatch.baselines.weights import learning_weight
from streamwatch.domain.readings import Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict, warming

LEAST_DIFFERENCE = 5.0
"""Records by which a share must differ at least."""

LEAST_RECORDS = 5
"""Records below which a share is neither judged nor learned."""

_KEEP = 1 - 1 / 28
_RELATIVE_EFFECT = 0.15
_PRIOR_WOBBLE = 0.03
_LEAST_WOBBLE = 1e-3
_WOBBLE_GAIN = 0.03
_HALF = 0.5
_LOST = 0.9


class ShareBaseline(msgspec.Struct, frozen=True, gc=False, tag="share"):
    """What is normal for one share.

    Attributes:
        hits, trials: fading sums.
        wobble: relative variance of the rate from bucket to bucket.
        buckets: how many were learned.
        last_bucket: the newest; -1 before the first.
        departure: a change under way that is not learned yet.
        former: what was normal before the last lasting change; see `judging`.
    """

    hits: float = 0.0
    trials: float = 0.0
    wobble: float = _PRIOR_WOBBLE
    buckets: int = 0
    last_bucket: int = -1
    departure: Departure | None = None
    former: "ShareBaseline | None" = None

    @property
    def rate(self) -> float:
        """The usual share."""
        return (self.hits + 0.5) / (self.trials + 1.0)

    @property
    def is_warm(self) -> bool:
        """Whether anything was learned; how much is enough depends on the settings."""
        return self.buckets > 0

    @property
    def typical(self) -> float:
        """The usual share."""
        return self.rate if self.trials else 0.0


def never_seen(total: ShareBaseline) -> ShareBaseline:
    """The baseline of a reason that comes up for the first time.

    None of the records that ``total`` knows had it.
    """
    return ShareBaseline(
        hits=0.0, trials=total.trials, buckets=total.buckets, last_bucket=total.last_bucket
    )


def score(baseline: ShareBaseline, reading: Reading, settings: JudgingSettings) -> Verdict:
    """Judge a share by what was learned before it."""
    if not _is_share(reading):
        return warming(reading, f"{reading.hits} of {reading.n} records: too few to judge")
    wanted = half_wanted(reading.key.span, settings.warmup_days)
    if baseline.buckets < wanted:
        return warming(reading, f"{baseline.buckets} of {wanted} {reading.key.span}s seen")
    rate, n = baseline.rate, reading.n
    deviation, spread = _deviation(baseline, reading)
    low, high = _band(baseline, n, spread, settings.threshold)
    least = max(settings.share_effect, _RELATIVE_EFFECT * rate, LEAST_DIFFERENCE / n)
    difference = reading.value - rate
    unusual = abs(deviation) >= settings.threshold and abs(difference) >= least
    return Verdict(
        key=reading.key,
        bucket=reading.bucket,
        value=reading.value,
        n=n,
        state="unusual" if unusual else "usual",
        score=deviation,
        expected=rate,
        lower=max(min(low, rate - least), 0.0),
        upper=_most(reading, max(high, rate + least)),
        reason=f"{reading.hits} of {n} ({reading.value:.2%}), expected {rate:.2%}",
        deviation=deviation,
    )


def learn(baseline: ShareBaseline, reading: Reading, verdict: Verdict) -> ShareBaseline:
    """The baseline after a judged reading; a bucket is learned once."""
    if not _is_share(reading) or reading.bucket <= baseline.last_bucket:
        return baseline
    unusual = verdict.state == "unusual"
    departure = follow(baseline.departure, reading.value, baseline.rate, unusual=unusual)
    lasting = PACES[reading.key.span].lasting
    if departure is not None and departure.readings >= lasting and _is_level(departure.mean):
        trials = baseline.trials / 4
        return msgspec.structs.replace(
            baseline,
            hits=departure.mean * trials,
            trials=trials,
            last_bucket=reading.bucket,
            departure=None,
            former=msgspec.structs.replace(baseline, departure=None, former=None),
        )
    weight = learning_weight(verdict.deviation, unusual=unusual)
    return ShareBaseline(
        hits=baseline.hits * _KEEP + weight * reading.hits,
        trials=baseline.trials * _KEEP + weight * reading.n,
        wobble=baseline.wobble if unusual else _learn_wobble(baseline, reading),
        buckets=baseline.buckets + 1,
        last_bucket=reading.bucket,
        departure=departure,
        former=baseline.former,
    )


def _is_level(rate: float) -> bool:
    """Whether a rate may become the new normal: a field that lacks always never does."""
    return rate < _LOST


def _deviation(baseline: ShareBaseline, reading: Reading) -> tuple[float, float]:
    """Signed deviation, and the relative variance of the hits beyond counting noise."""
    rate, hits, n = baseline.rate, float(reading.hits), reading.n
    known, sign = baseline.hits + 0.5, 1.0
    if _HALF < rate <= 1.0 and hits <= n:
        rate, hits, sign = 1.0 - rate, n - hits, -1.0
        known = max(baseline.trials - baseline.hits, 0.0) + 0.5
    scale = 1.0 / (1.0 - min(rate, _HALF))
    spread = baseline.wobble + 1.0 / known
    return sign * count_deviation(hits * scale, n * rate * scale, spread), spread


def _band(baseline: ShareBaseline, n: int, spread: float, threshold: float) -> tuple[float, float]:
    rate = baseline.rate
    if _HALF < rate <= 1.0:
        low, high = count_band(n * (1 - rate), spread, threshold)
        return 1 - high / n, 1 - low / n
    low, high = count_band(n * rate, spread, threshold)
    return low / n, high / n


def _most(reading: Reading, share: float) -> float:
    """A share of the same records is at most 1; a ratio of two types has no such end."""
    return share if reading.key.kpi.startswith("ratio.") else min(share, 1.0)


def _learn_wobble(baseline: ShareBaseline, reading: Reading) -> float:
    expected = reading.n * baseline.rate
    share = baseline.wobble * expected / (1 + baseline.wobble * expected)
    distance = reading.hits - expected
    seen = (distance * distance - expected) / (expected * expected)
    most = 9 * (baseline.wobble + 1 / expected) - 1 / expected
    moved = _WOBBLE_GAIN * share * share * (min(seen, most) - baseline.wobble)
    return max(baseline.wobble + moved, _LEAST_WOBBLE)


def _is_share(reading: Reading) -> bool:
    return reading.n >= LEAST_RECORDS and reading.hits >= 0 and 0 <= reading.value <= reading.n
