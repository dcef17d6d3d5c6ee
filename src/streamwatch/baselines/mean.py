"""The baseline of a feature's mean: how far may a day's mean be from the usual one?

A day's mean varies for two reasons: the few records it rests on (variance of the values
divided by their number), and the shop itself, which differs from day to day however many
records there are. ``Var(mean) = between + within / n``; leaving either out gives false
alarms for large shops or for small ones.
"""

import math

import msgspec

from streamwatch.baselines import units
from streamwatch.baselines.departure import Departure, follow
from streamwatch.baselines.forgetting import FadingMean
from streamwatch.baselines.pace import readings_wanted
from streamwatch.baselines.tails import LARGEST, is_sound, student_deviation, student_ratio
from streamwatch.baselines.weights import learning_weight
from streamwatch.domain.readings import Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict, warming

_KEEP = 1 - 1 / 28
_LASTING = 7
_GAIN = 0.03
_PRIOR_SHARE = 0.003
_PRIOR_READINGS = 2.0
_LEAST_FREEDOM = 3.0
_TINY = 1e-9


class Warm(msgspec.Struct, frozen=True, array_like=True):
    """A reading of the warm-up: mean, number of records, variance of the values."""

    value: float
    n: int
    variance: float


class MeanBaseline(msgspec.Struct, frozen=True, tag="mean"):
    """What is normal for one mean.

    Attributes:
        center: the usual mean; its weight is the inverse of its variance.
        between: variance of the true mean from bucket to bucket.
        within: variance of the single values.
        readings: effective number of readings learned.
        history: the warm-up's readings by bucket; empty once warm.
        last_bucket: the newest bucket that was learned; -1 before the first.
        departure: a change under way that is not learned yet.
        watch: where the single values lie, to find wrong units in a few of them.
    """

    center: FadingMean = FadingMean()
    between: float = 0.0
    within: float = 0.0
    readings: float = 0.0
    history: dict[int, Warm] = {}
    last_bucket: int = -1
    departure: Departure | None = None
    watch: units.UnitWatch = units.UnitWatch()

    @property
    def is_warm(self) -> bool:
        """Whether it can judge."""
        return self.readings > 0

    @property
    def typical(self) -> float:
        """The usual mean; 0 while warming."""
        return self.center.mean


def score(baseline: MeanBaseline, reading: Reading, settings: JudgingSettings) -> Verdict:
    """Judge a mean, and the single values beside it, by what was learned before."""
    if not _is_mean(reading):
        return warming(reading, f"{reading.value} over {reading.n} records: not judged")
    if not baseline.is_warm:
        wanted = readings_wanted(reading.key.span, settings.warmup_days)
        seen = f"{len(baseline.history)} of {wanted} {reading.key.span}s seen"
        return warming(reading, seen)
    expected = baseline.center.mean
    deviation_unit = math.sqrt(_variance(baseline, reading.n) + 1 / baseline.center.weight)
    # The mean of few records has the tails of the single values, which may be heavy.
    freedom = max(min(baseline.readings - 1, reading.n + 2.0), _LEAST_FREEDOM)
    difference = reading.value - expected
    deviation = student_deviation(difference / deviation_unit, freedom)
    least = settings.mean_effect * abs(expected)
    reach = max(student_ratio(settings.threshold, freedom) * deviation_unit, least)
    unusual = abs(deviation) >= settings.threshold and abs(difference) >= least
    verdict = Verdict(
        key=reading.key,
        bucket=reading.bucket,
        value=reading.value,
        n=reading.n,
        state="unusual" if unusual else "usual",
        score=deviation,
        expected=expected,
        lower=expected - reach,
        upper=expected + reach,
        reason=_reason(reading, expected),
        deviation=deviation,
    )
    return _with_units(baseline, reading, verdict, deviation_unit)


def _with_units(
    baseline: MeanBaseline, reading: Reading, verdict: Verdict, error: float
) -> Verdict:
    """The verdict with the wrong unit named, if there is one."""
    named = units.find(baseline.watch, reading.bins, reading.key.kpi)
    if named is not None:
        sign = math.copysign(1.0, named.fault.factor - 1)
        strongest = max(named.deviation, sign * verdict.score)
        return msgspec.structs.replace(
            verdict,
            state="unusual",
            score=sign * strongest,
            reason=f"{named.words}; {verdict.reason}",
            urgent=True,
        )
    if verdict.state == "unusual":
        whole = units.of_whole(reading.value, baseline.center.mean, error, reading.key.kpi)
        if whole is not None:
            reason = f"looks like {whole.meaning}; {verdict.reason}"
            return msgspec.structs.replace(verdict, reason=reason)
    return verdict


def learn(
    baseline: MeanBaseline, reading: Reading, verdict: Verdict, settings: JudgingSettings
) -> MeanBaseline:
    """The baseline after a judged reading; a bucket is learned once."""
    if not _is_mean(reading):
        return baseline
    if not baseline.is_warm:
        history = {
            **baseline.history,
            reading.bucket: Warm(reading.value, reading.n, _spread(reading)),
        }
        # A day that comes again, completed by late records, is in the watch already.
        again = reading.bucket in baseline.history
        watch = baseline.watch
        if not again:
            watch = units.learn(watch, reading.bins, reading.key.kpi, unusual=False)
        if len(history) >= readings_wanted(reading.key.span, settings.warmup_days):
            return msgspec.structs.replace(fit(history), watch=watch)
        newest = max(baseline.last_bucket, reading.bucket)
        return MeanBaseline(history=history, last_bucket=newest, watch=watch)
    if reading.bucket <= baseline.last_bucket or verdict.state == "warming":
        return baseline
    unusual = verdict.state == "unusual"
    watch = units.learn(baseline.watch, reading.bins, reading.key.kpi, unusual=unusual)
    return msgspec.structs.replace(_learn_warm(baseline, reading, verdict), watch=watch)


def _learn_warm(baseline: MeanBaseline, reading: Reading, verdict: Verdict) -> MeanBaseline:
    unusual = verdict.state == "unusual"
    departure = follow(baseline.departure, reading.value, baseline.center.mean, unusual=unusual)
    if departure is not None and _has_settled(departure, baseline, reading.n):
        weight = departure.readings / _variance(baseline, reading.n)
        return msgspec.structs.replace(
            baseline,
            center=FadingMean(departure.mean, weight),
            departure=None,
            last_bucket=reading.bucket,
        )
    weight = learning_weight(verdict.deviation, unusual=unusual)
    variance = _variance(baseline, reading.n)
    return msgspec.structs.replace(
        baseline,
        center=baseline.center.learn(reading.value, weight / variance, _KEEP),
        between=_learn_between(baseline, reading, unusual=unusual),
        within=baseline.within if unusual else _learn_within(baseline, reading),
        readings=baseline.readings * _KEEP + weight,
        last_bucket=reading.bucket,
        departure=departure,
    )


def _learn_between(baseline: MeanBaseline, reading: Reading, *, unusual: bool) -> float:
    """Follow the squared deviations that the sampling error does not explain, cut off.

    Unusual readings still widen it a little, so that a shop that has become wilder for good
    does not alarm for ever.
    """
    sampling = baseline.within / reading.n + 1 / baseline.center.weight
    distance = reading.value - baseline.center.mean
    seen = distance * distance - sampling
    most = (4 if unusual else 9) * (baseline.between + sampling)
    share = baseline.between / (baseline.between + sampling)
    gain = _GAIN * max(share * share, 0.05)
    return max(baseline.between + gain * (min(seen, most) - baseline.between), _floor(baseline))


def _learn_within(baseline: MeanBaseline, reading: Reading) -> float:
    spread = _spread(reading)
    if spread == 0:
        return baseline.within
    seen = min(spread, 4 * baseline.within)
    gain = _GAIN * reading.n / (reading.n + 10)
    return baseline.within + gain * (seen - baseline.within)


def _has_settled(departure: Departure, baseline: MeanBaseline, n: int) -> bool:
    steady = departure.variance() <= 9 * _variance(baseline, n)
    return departure.readings >= _LASTING and steady


def fit(history: dict[int, Warm]) -> MeanBaseline:
    """The baseline that the warm-up's readings give.

    The variance between the readings is DerSimonian and Laird's estimate (1986), drawn a
    little towards 0.3 % of the mean, since few readings often give 0 by chance.
    """
    readings = [history[bucket] for bucket in sorted(history)]
    within = _within(readings)
    weights = [r.n / within for r in readings]
    total = sum(weights)
    center = sum(w * r.value for w, r in zip(weights, readings, strict=True)) / total
    heterogeneity = sum(
        w * (r.value - center) * (r.value - center) for w, r in zip(weights, readings, strict=True)
    )
    spread = total - sum(w * w for w in weights) / total
    surplus = heterogeneity - (len(readings) - 1)
    between = max(surplus / spread, 0.0) if spread > 0 else 0.0
    prior = _PRIOR_SHARE * abs(center)
    known = len(readings)
    between = (known * between + _PRIOR_READINGS * prior * prior) / (known + _PRIOR_READINGS)
    between = max(between, _TINY * max(center * center, _TINY))
    result = MeanBaseline(between=between, within=within, readings=known)
    weight = 0.0
    mean = 0.0
    for r in readings:
        precision = 1 / _variance(result, r.n)
        weight += precision
        mean += (r.value - mean) * precision / weight
    return msgspec.structs.replace(
        result, center=FadingMean(mean, weight), last_bucket=max(history)
    )


def _within(readings: list[Warm]) -> float:
    """Variance of the single values, pooled over the readings.

    Few values that were all alike (returns of one piece each) do not mean that a different
    one never comes. So it is at least what one value that differs by seven tenths of the mean
    would have given; with many values that floor vanishes.
    """
    spare = sum(r.n - 1 for r in readings)
    pooled = sum((r.n - 1) * r.variance for r in readings) / spare if spare else 0.0
    mean = sum(r.value for r in readings) / len(readings)
    if not spare:
        squares = sum((r.value - mean) * (r.value - mean) for r in readings)
        pooled = squares / max(len(readings) - 1, 1)
    return max(pooled, mean * mean / 2 / (spare + len(readings)), _TINY)


def _variance(baseline: MeanBaseline, n: int) -> float:
    return baseline.between + baseline.within / n


def _floor(baseline: MeanBaseline) -> float:
    return _TINY * max(baseline.center.mean * baseline.center.mean, _TINY)


def _is_mean(reading: Reading) -> bool:
    return reading.n > 0 and is_sound(reading.value)


def _spread(reading: Reading) -> float:
    """Variance of the values; 0 where it is unknown or no number."""
    known = 0 < reading.variance <= LARGEST * LARGEST
    return reading.variance if known and reading.n > 1 else 0.0


def _reason(reading: Reading, expected: float) -> str:
    side = "above" if reading.value > expected else "below"
    difference = abs(reading.value - expected)
    share = f" ({difference / abs(expected):.1%})" if expected else ""
    return (
        f"mean {reading.value:.2f} of {reading.n} records, "
        f"{difference:.2f}{share} {side} the expected {expected:.2f}"
    )
