"""The baseline of a feature's mean: judge a mean by the model, then let the model learn it."""

import math

import msgspec

from streamwatch.baselines import units
from streamwatch.baselines.departure import Departure, follow
from streamwatch.baselines.fewrecords import Day, extended, together
from streamwatch.baselines.forgetting import FadingMean
from streamwatch.baselines.meanmodel import (
    TINY,
    MeanBaseline,
    Warm,
    fit,
    spread_of,
    variance_of,
)
from streamwatch.baselines.pace import PACES, readings_wanted
from streamwatch.baselines.tails import LARGEST, is_sound, student_deviation, student_ratio
from streamwatch.baselines.weights import learning_weight
from streamwatch.domain.readings import Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.sketch import NOT_POSITIVE, value_of
from streamwatch.domain.verdicts import Verdict, warming

_KEEP = 1 - 1 / 28
_GAIN = 0.03
_LEAST_FREEDOM = 3.0
_LEAST_BINS = 2
_STRONGEST_PART = 20


def score(baseline: MeanBaseline, reading: Reading, settings: JudgingSettings) -> Verdict:
    """Judge a mean, and the single values beside it, by what was learned before."""
    if not _is_mean(reading):
        return warming(reading, f"{reading.value} over {reading.n} records: not judged")
    if not baseline.is_warm:
        wanted = readings_wanted(reading.key.span, settings.warmup_days)
        seen = f"{len(baseline.history)} of {wanted} {reading.key.span}s seen"
        return warming(reading, seen)
    expected = baseline.center.mean
    deviation_unit = math.sqrt(variance_of(baseline, reading.n) + 1 / baseline.center.weight)
    # The mean of few records has the tails of the single values, which may be heavy.
    freedom = max(min(baseline.readings - 1, reading.n + 2.0), _LEAST_FREEDOM)
    difference = reading.value - expected
    deviation = student_deviation(difference / deviation_unit, freedom)
    day = Day(difference, reading.n)
    joint = (
        together(baseline.few, day, deviation, spread_of(baseline)) if baseline.few else deviation
    )
    least = settings.mean_effect * abs(expected)
    reach = max(student_ratio(settings.threshold, freedom) * deviation_unit, least)
    unusual = abs(joint) >= settings.threshold and abs(difference) >= least
    verdict = Verdict(
        key=reading.key,
        bucket=reading.bucket,
        value=reading.value,
        n=reading.n,
        state="unusual" if unusual else "usual",
        score=joint,
        expected=expected,
        lower=expected - reach,
        upper=expected + reach,
        reason=_reason(reading, expected),
        deviation=deviation if not unusual else _without_strongest(reading, expected, deviation),
    )
    return _with_units(baseline, reading, verdict, deviation_unit)


def _without_strongest(reading: Reading, expected: float, deviation: float) -> float:
    """The deviation that would be left without the records that speak most for it.

    In few records of a wild feature (the quantities of a wholesaler, say) one order makes the
    mean, so before a day is over nothing is told that rests on a twentieth of them.
    """
    bins = reading.bins
    if len(bins) < _LEAST_BINS or NOT_POSITIVE in bins:
        return deviation
    difference = reading.value - expected
    leaving = taken = max(reading.n // _STRONGEST_PART, 1)
    left = reading.value * reading.n
    for index in sorted(bins, reverse=difference > 0):
        records = min(bins[index], leaving)
        left -= records * value_of(index)
        leaving -= records
        if not leaving:
            break
    remaining = (left / (reading.n - taken) - expected) / difference
    return deviation * min(max(remaining, 0.0), 1.0)


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
    watch = units.learn(_placed(baseline), reading.bins, reading.key.kpi, unusual=unusual)
    return msgspec.structs.replace(_learn_warm(baseline, reading, verdict), watch=watch)


def _placed(baseline: MeanBaseline) -> units.UnitWatch:
    """The watch; where no day has records enough to place it, by the usual mean."""
    mean = baseline.center.mean
    if baseline.watch.spread or mean <= 0:
        return baseline.watch
    return units.placed(baseline.watch, math.log(mean), math.sqrt(baseline.within) / mean)


def _learn_warm(baseline: MeanBaseline, reading: Reading, verdict: Verdict) -> MeanBaseline:
    unusual = verdict.state == "unusual"
    departure = follow(baseline.departure, reading.value, baseline.center.mean, unusual=unusual)
    if departure is not None and not verdict.urgent and _has_settled(departure, baseline, reading):
        weight = departure.readings / variance_of(baseline, reading.n)
        return msgspec.structs.replace(
            baseline,
            center=FadingMean(departure.mean, weight),
            departure=None,
            few=(),
            last_bucket=reading.bucket,
            former=msgspec.structs.replace(baseline, departure=None, former=None),
        )
    weight = learning_weight(verdict.deviation, unusual=unusual)
    variance = variance_of(baseline, reading.n)
    return msgspec.structs.replace(
        baseline,
        center=baseline.center.learn(reading.value, weight / variance, _KEEP),
        between=_learn_between(baseline, reading, unusual=unusual),
        within=baseline.within if unusual else _learn_within(baseline, reading),
        readings=baseline.readings * _KEEP + weight,
        last_bucket=reading.bucket,
        departure=departure,
        few=extended(
            baseline.few,
            Day(reading.value - baseline.center.mean, reading.n),
            spread_of(baseline),
        ),
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


def _has_settled(departure: Departure, baseline: MeanBaseline, reading: Reading) -> bool:
    """Whether a departure is long and steady enough; one in a wrong unit is never asked."""
    steady = departure.variance() <= 9 * variance_of(baseline, reading.n)
    return departure.readings >= PACES[reading.key.span].lasting and steady


def _floor(baseline: MeanBaseline) -> float:
    return TINY * max(baseline.center.mean * baseline.center.mean, TINY)


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
