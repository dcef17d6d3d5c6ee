"""The baseline of a volume: judge a count by the model, then let the model learn it."""

import msgspec

from streamwatch.baselines import season
from streamwatch.baselines.counts import (
    HOUR_KEEP,
    LEAST_MEAN,
    LEAST_WOBBLE,
    USUAL_WOBBLE,
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
from streamwatch.baselines.fleetfactor import NONE, Common, Ratio, ratio_of
from streamwatch.baselines.forgetting import FadingMean
from streamwatch.baselines.pace import PACES, Pace, readings_wanted
from streamwatch.baselines.tails import count_band, count_deviation, is_sound
from streamwatch.baselines.warmup import fit
from streamwatch.baselines.weights import learning_weight
from streamwatch.baselines.windows import Joint, Past, Run, Spreads, extended, together
from streamwatch.domain.readings import Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict, warming

LEAST_DIFFERENCE = 5.0
"""Events by which a volume must differ at least."""

_WOBBLE_GAIN = 0.015
_FITTED_READINGS = 10
"""Readings that the warm-up's wobble is worth."""

_USUAL_WEIGHT = 0.1
_COMMON_WEIGHT = 0.2
"""How much of a day is learned on which all shops moved alike."""

_MOVED_WEIGHT = 7.0
_MOST_JUDGED = 100
_TRICKLE = 0.02
"""Share of the old level below which a departure is an outage, which never becomes normal."""


def log_ratio(baseline: VolumeBaseline, reading: Reading) -> Ratio | None:
    """What a shop tells about the common factor of its bucket; ``None`` if nothing."""
    if not baseline.is_warm or not _is_count(reading.value):
        return None
    if rest_probability(baseline, reading):
        return None
    expected = expected_count(baseline, reading)
    return ratio_of(reading.value, expected, baseline.wobble)


def score(
    baseline: VolumeBaseline,
    reading: Reading,
    settings: JudgingSettings,
    common: Common = NONE,
) -> Verdict:
    """Judge a volume by what was learned before it.

    Args:
        baseline: what was learned.
        reading: the count.
        settings: how strict.
        common: what all shops have in common in this bucket.
    """
    if not _is_count(reading.value):
        return warming(reading, f"{reading.value} is no count: not judged")
    if not baseline.is_warm:
        wanted = readings_wanted(reading.key.span, settings.warmup_days)
        seen = len(baseline.history)
        return warming(reading, f"{seen} of {wanted} {reading.key.span}s seen")
    expected = expected_count(baseline, reading)
    spread = overdispersion(baseline, reading)
    own = max(baseline.wobble - baseline.shared, LEAST_WOBBLE)
    closed = rest_probability(baseline, reading)
    value = reading.value
    single = count_deviation(value, expected, spread, closed)
    nearest = expected
    shared = common.holds
    if shared:
        moved = expected * common.factor
        other = count_deviation(value, moved, spread + common.spread, closed)
        single, nearest = _nearer(value, (single, expected), (other, moved))
    now = Past(reading.bucket, single, value, nearest)
    run = Run() if shared else baseline.run
    kinship = PACES[reading.key.span].kinship
    spreads = Spreads(own, spread - own, kinship, sums_only=baseline.shared > 0)
    joint = together(run, now, spreads)
    low, high = count_band(min(expected, nearest), spread + common.spread, settings.threshold)
    if shared:
        high = count_band(max(expected, nearest), spread + common.spread, settings.threshold)[1]
    least = max(settings.volume_effect * nearest, LEAST_DIFFERENCE)
    lower = 0.0 if closed else max(min(low, nearest - least), 0.0)
    unusual = abs(joint.deviation) >= settings.threshold and _matters(joint, settings)
    return Verdict(
        key=reading.key,
        bucket=reading.bucket,
        value=value,
        n=reading.n,
        state="unusual" if unusual else "usual",
        score=joint.deviation,
        expected=nearest,
        lower=lower,
        upper=max(high, nearest + least),
        reason=_reason(joint, reading, common),
        deviation=single,
    )


def _nearer(
    value: float, plain: tuple[float, float], moved: tuple[float, float]
) -> tuple[float, float]:
    """Of two predictions the one that the count fits better; between both it fits fully.

    A shop that keeps no holiday is as usual as one that keeps it.
    """
    if plain[0] * moved[0] < 0:
        return 0.0, max(value, LEAST_MEAN)
    return plain if abs(plain[0]) < abs(moved[0]) else moved


def _matters(joint: Joint, settings: JudgingSettings) -> bool:
    difference = abs(joint.value - joint.expected)
    return difference >= max(settings.volume_effect * joint.expected, LEAST_DIFFERENCE)


def learn(
    baseline: VolumeBaseline,
    reading: Reading,
    verdict: Verdict,
    settings: JudgingSettings,
    common: Common = NONE,
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
    return _learn_warm(baseline, reading, verdict, common)


def _learn_warm(
    baseline: VolumeBaseline, reading: Reading, verdict: Verdict, common: Common
) -> VolumeBaseline:
    pace = PACES[reading.key.span]
    unusual = verdict.state == "unusual"
    factor = factor_of(baseline, reading)
    predicted = max(baseline.level.mean * factor, LEAST_MEAN)
    expected = verdict.expected if verdict.expected is not None else reading.value
    run = baseline.run
    shared = common.holds
    if not shared:
        now = Past(reading.bucket, verdict.deviation, reading.value, expected)
        run = extended(run, now)
    if common.planned and not unusual:
        return msgspec.structs.replace(baseline, run=run, last_bucket=reading.bucket)
    departure = follow(
        baseline.departure, reading.value / factor, baseline.level.mean, unusual=unusual
    )
    if departure is not None and _has_settled(departure, baseline, pace):
        level = FadingMean(departure.mean, pace.lasting / 2)
        return msgspec.structs.replace(
            baseline,
            level=level,
            departure=None,
            last_bucket=reading.bucket,
            run=Run(),
            former=msgspec.structs.replace(baseline, departure=None, former=None),
        )
    weight = learning_weight(verdict.deviation, unusual=unusual)
    if shared:
        weight *= _COMMON_WEIGHT
    level = baseline.level.learn(reading.value / factor, weight * factor, pace.keep)
    return msgspec.structs.replace(
        baseline,
        level=level,
        weekdays=_learn_weekday(baseline, reading, weight, pace.weekday_keep),
        hours=_learn_hour(baseline, reading, weight),
        wobble=baseline.wobble if shared else _learn_wobble(baseline, verdict, predicted),
        last_bucket=reading.bucket,
        departure=departure,
        run=run,
        judged=min(baseline.judged + 1, _MOST_JUDGED),
    )


def moved(baseline: VolumeBaseline, factor: float) -> VolumeBaseline:
    """The baseline of a part when the whole has a new level: so has the part, until it is known."""
    level = FadingMean(baseline.level.mean * factor, min(baseline.level.weight, _MOVED_WEIGHT))
    return msgspec.structs.replace(baseline, level=level, departure=None, run=Run())


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
    if not baseline.weekdays:
        return ()
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


def _learn_wobble(baseline: VolumeBaseline, verdict: Verdict, expected: float) -> float:
    """Follow the squared deviations, cut off so that one sale day does not blind it.

    An unusual reading still widens it a little: a shop that has become wilder for good must
    not alarm for ever. An outage says nothing about the wobble.
    """
    wobble = baseline.wobble
    unusual = verdict.state == "unusual"
    if unusual and verdict.value == 0:
        return wobble
    distance = verdict.value - expected
    seen = (distance * distance - expected) / (expected * expected)
    most = (4 if unusual else 9) * (wobble + 1 / expected) - 1 / expected
    gain = max(_WOBBLE_GAIN, 1 / (baseline.judged + _FITTED_READINGS))
    told = information(max(wobble, USUAL_WOBBLE), expected) * (min(seen, most) - wobble)
    # Where counting noise hides the wobble it stays near what shops usually have.
    drawn = _USUAL_WEIGHT * (USUAL_WOBBLE - wobble)
    return max(wobble + gain * (told + drawn), LEAST_WOBBLE)


def _warm_up(
    baseline: VolumeBaseline, reading: Reading, settings: JudgingSettings
) -> VolumeBaseline:
    history = {**baseline.history, reading.bucket: (reading.slot, reading.value)}
    if len(history) < readings_wanted(reading.key.span, settings.warmup_days):
        newest = max(baseline.last_bucket, reading.bucket)
        return VolumeBaseline(history=history, last_bucket=newest)
    return fit(history, reading.key.span)


def _is_count(value: float) -> bool:
    return is_sound(value) and value >= 0


def _reason(joint: Joint, reading: Reading, common: Common) -> str:
    """In words; the difference is the one of the strongest evidence."""
    expected = max(joint.expected, LEAST_MEAN)
    side = "above" if joint.value > joint.expected else "below"
    share = abs(joint.value - joint.expected) / expected
    over = f" in {joint.buckets} {reading.key.span}s" if joint.buckets > 1 else ""
    fleet = "" if common.factor == 1.0 else f"; {common.whose}: {common.factor:.0%}"
    planned = "; a day of the calendar" if common.planned and not fleet else ""
    return (
        f"{joint.value:.0f} events{over}, {share:.0%} {side} "
        f"the expected {expected:.1f}{fleet}{planned}"
    )
