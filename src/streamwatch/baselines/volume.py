"""The baseline of a volume: judge a count by the model, then let the model learn it."""

import msgspec

from streamwatch.baselines import season
from streamwatch.baselines.counts import (
    HOUR_KEEP,
    LEAST_MEAN,
    LEAST_WOBBLE,
    PACES,
    Pace,
    VolumeBaseline,
    expected_count,
    factor_of,
    hour_of,
    information,
    overdispersion,
    rest_probability,
    weekday_of,
)
from streamwatch.baselines.departure import Departure, follow
from streamwatch.baselines.forgetting import FadingMean
from streamwatch.baselines.tails import count_band, count_deviation, is_sound
from streamwatch.baselines.warmup import fit
from streamwatch.domain.readings import Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict, warming

LEAST_DIFFERENCE = 5.0
"""Events by which a volume must differ at least."""

_WOBBLE_GAIN = 0.015
_TRICKLE = 0.02
"""Share of the old level below which a departure is an outage, which never becomes normal."""


def score(baseline: VolumeBaseline, reading: Reading, settings: JudgingSettings) -> Verdict:
    """Judge a volume by what was learned before it."""
    if not _is_count(reading.value):
        return warming(reading, f"{reading.value} is no count: not judged")
    if not baseline.is_warm:
        wanted = settings.warmup_days * PACES[reading.key.span].warmup
        seen = len(baseline.history)
        return warming(reading, f"{seen} of {wanted} {reading.key.span}s seen")
    expected = expected_count(baseline, reading)
    spread = overdispersion(baseline, reading)
    closed = rest_probability(baseline, reading)
    deviation = count_deviation(reading.value, expected, spread, closed)
    low, high = count_band(expected, spread, settings.threshold)
    least = max(settings.volume_effect * expected, LEAST_DIFFERENCE)
    lower = 0.0 if closed else max(min(low, expected - least), 0.0)
    difference = reading.value - expected
    unusual = abs(deviation) >= settings.threshold and abs(difference) >= least
    return Verdict(
        key=reading.key,
        bucket=reading.bucket,
        value=reading.value,
        n=reading.n,
        state="unusual" if unusual else "usual",
        score=deviation,
        expected=expected,
        lower=lower,
        upper=max(high, expected + least),
        reason=_reason(reading.value, expected),
    )


def learn(
    baseline: VolumeBaseline, reading: Reading, verdict: Verdict, settings: JudgingSettings
) -> VolumeBaseline:
    """The baseline after a judged reading; a bucket is learned once.

    Warm-up readings are kept until there are enough, and one that comes again replaces the
    earlier, since late records may have completed it.
    """
    if not _is_count(reading.value):
        return baseline
    if not baseline.is_warm:
        return _warm_up(baseline, reading, settings)
    if reading.bucket <= baseline.last_bucket or verdict.state == "warming":
        return baseline
    return _learn_warm(baseline, reading, verdict)


def _learn_warm(baseline: VolumeBaseline, reading: Reading, verdict: Verdict) -> VolumeBaseline:
    pace = PACES[reading.key.span]
    factor = factor_of(baseline, reading)
    departure = follow(
        baseline.departure,
        reading.value / factor,
        baseline.level.mean,
        unusual=verdict.state == "unusual",
    )
    if departure is not None and _has_settled(departure, baseline, pace):
        level = FadingMean(departure.mean, pace.lasting / 2)
        return msgspec.structs.replace(
            baseline, level=level, departure=None, last_bucket=reading.bucket
        )
    weight = learning_weight(verdict)
    level = baseline.level.learn(reading.value / factor, weight * factor, pace.keep)
    return msgspec.structs.replace(
        baseline,
        level=level,
        weekdays=_learn_weekday(baseline, reading, weight, pace.weekday_keep),
        hours=_learn_hour(baseline, reading, weight),
        wobble=_learn_wobble(baseline, reading, verdict),
        last_bucket=reading.bucket,
        departure=departure,
    )


def learning_weight(verdict: Verdict) -> float:
    """How much of a reading is learned: less the more it surprises, nothing if unusual."""
    distance = abs(verdict.score)
    if verdict.state == "unusual":
        return 0.0
    return 1.0 if distance < 2 else max(4 / (distance * distance), 0.1)  # noqa: PLR2004


def _has_settled(departure: Departure, baseline: VolumeBaseline, pace: Pace) -> bool:
    """Whether a departure is long and steady enough to be normal; an outage never is."""
    normal = baseline.level.mean
    if departure.readings < pace.lasting or departure.mean <= _TRICKLE * normal:
        return False
    natural = departure.mean + baseline.wobble * departure.mean * departure.mean
    return departure.variance() <= 9 * natural


def _learn_weekday(
    baseline: VolumeBaseline, reading: Reading, weight: float, keep: float
) -> season.Season:
    place = weekday_of(reading)
    level = baseline.level.mean
    other = (
        baseline.hours[hour_of(reading)].factor(season.hour_prior(level)) if baseline.hours else 1.0
    )
    # An hour informs about its weekday by as much as it holds of the day.
    share = other / season.DAY_HOURS if baseline.hours else 1.0
    ratio = reading.value / max(level * other, LEAST_MEAN)
    slot = baseline.weekdays[place].learn(ratio, weight * share, keep, empty=reading.value == 0)
    return season.replaced(baseline.weekdays, place, slot)


def _learn_hour(baseline: VolumeBaseline, reading: Reading, weight: float) -> season.Season:
    if not baseline.hours:
        return ()
    place = hour_of(reading)
    level = baseline.level.mean
    other = baseline.weekdays[weekday_of(reading)].factor(season.weekday_prior(level))
    ratio = reading.value / max(level * other, LEAST_MEAN)
    slot = baseline.hours[place].learn(ratio, weight * other, HOUR_KEEP, empty=False)
    return season.replaced(baseline.hours, place, slot)


def _learn_wobble(baseline: VolumeBaseline, reading: Reading, verdict: Verdict) -> float:
    """Follow the squared deviations, cut off so that one sale day does not blind it.

    An unusual reading still widens it a little: a shop that has become wilder for good must
    not alarm for ever. An outage says nothing about the wobble.
    """
    wobble = baseline.wobble
    unusual = verdict.state == "unusual"
    if unusual and reading.value == 0:
        return wobble
    expected = expected_count(baseline, reading)
    distance = reading.value - expected
    seen = (distance * distance - expected) / (expected * expected)
    most = (4 if unusual else 9) * wobble + 3 / expected
    gain = _WOBBLE_GAIN * information(wobble, expected)
    return max(wobble + gain * (min(seen, most) - wobble), LEAST_WOBBLE)


def _warm_up(
    baseline: VolumeBaseline, reading: Reading, settings: JudgingSettings
) -> VolumeBaseline:
    history = {**baseline.history, reading.bucket: (reading.slot, reading.value)}
    wanted = settings.warmup_days * PACES[reading.key.span].warmup
    if len(history) < wanted:
        newest = max(baseline.last_bucket, reading.bucket)
        return VolumeBaseline(history=history, last_bucket=newest)
    return fit(history, reading.key.span)


def _is_count(value: float) -> bool:
    return is_sound(value) and value >= 0


def _reason(value: float, expected: float) -> str:
    share = abs(value - expected) / expected
    side = "above" if value > expected else "below"
    return f"{value:.0f} events, {share:.0%} {side} the expected {expected:.1f}"
