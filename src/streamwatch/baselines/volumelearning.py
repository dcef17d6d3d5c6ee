"""The baseline of a volume learns: what is usual, what lasts, and what comes again."""

import msgspec

from streamwatch.baselines import habits, intermittent, season
from streamwatch.baselines.counts import (
    HOUR_KEEP,
    LEAST_MEAN,
    LEAST_WOBBLE,
    USUAL_WOBBLE,
    VolumeBaseline,
    factor_of,
    hour_of,
    information,
    is_count,
    weekday_of,
)
from streamwatch.baselines.departure import Departure, follow
from streamwatch.baselines.fleetfactor import NONE, Common
from streamwatch.baselines.forgetting import FadingMean
from streamwatch.baselines.pace import PACES, Pace, readings_wanted
from streamwatch.baselines.warmup import fit
from streamwatch.baselines.weights import learning_weight
from streamwatch.baselines.windows import Past, Run, extended
from streamwatch.domain.readings import Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict

_WOBBLE_GAIN = 0.015
FITTED_READINGS = 10
"""Readings that the warm-up's wobble is worth."""

_USUAL_WEIGHT = 0.1
_COMMON_WEIGHT = 0.2
"""How much of a day is learned on which all shops moved alike."""

_MOVED_WEIGHT = 7.0
_LEAST_BUSY_SHARE = 0.02
MOST_JUDGED = 100
"""Readings from which the wobble counts as known."""

_TRICKLE = 0.02
"""Share of the old level below which a departure is an outage, which never becomes normal."""


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
    if not is_count(reading.value):
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
    if baseline.intermittent and reading.value == 0:
        return _learn_empty(baseline, reading, run)
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
    habitual = _is_habit(baseline, reading, predicted)
    if habitual or (unusual and reading.value > _TRICKLE * predicted):
        ratio = reading.value / max(baseline.level.mean, LEAST_MEAN)
        known = habits.noted(baseline.habits, reading.slot, reading.bucket, ratio)
        baseline = msgspec.structs.replace(baseline, habits=known)
    if habitual:
        return msgspec.structs.replace(
            baseline, departure=departure, run=run, last_bucket=reading.bucket
        )
    weight = learning_weight(verdict.deviation, unusual=unusual)
    if shared:
        weight *= _COMMON_WEIGHT
    level = baseline.level.learn(reading.value / factor, weight * factor, pace.keep)
    learned = msgspec.structs.replace(
        baseline,
        level=level,
        weekdays=_learn_weekday(baseline, reading, weight, pace.weekday_keep),
        hours=_learn_hour(baseline, reading, weight),
        wobble=baseline.wobble if shared else _learn_wobble(baseline, verdict, predicted),
        last_bucket=reading.bucket,
        departure=departure,
        run=run,
        judged=min(baseline.judged + 1, MOST_JUDGED),
    )
    return learned if baseline.hours else _turned(learned)


def _is_habit(baseline: VolumeBaseline, reading: Reading, predicted: float) -> bool:
    """Whether a usual reading is so by its place of the week only."""
    habit = habits.habit_at(baseline.habits, reading.slot, reading.bucket)
    if habit is None:
        return False
    usual = habit.ratio * baseline.level.mean
    return abs(reading.value - usual) < abs(reading.value - predicted)


def _learn_empty(baseline: VolumeBaseline, reading: Reading, run: Run) -> VolumeBaseline:
    """An empty bucket of an intermittent shop: how often that is, and nothing of the sizes."""
    weekdays = _learn_weekday(baseline, reading, 1.0, PACES[reading.key.span].weekday_keep)
    learned = msgspec.structs.replace(
        baseline, weekdays=weekdays, last_bucket=reading.bucket, run=run
    )
    return _turned(learned)


def _turned(baseline: VolumeBaseline) -> VolumeBaseline:
    """The baseline of a shop that has become intermittent, or regular; mostly as it was."""
    weekdays = baseline.weekdays
    if not weekdays or not (baseline.intermittent or any(slot.zeros for slot in weekdays)):
        return baseline
    now = intermittent.is_intermittent(weekdays, so_far=baseline.intermittent)
    if now == baseline.intermittent:
        return baseline
    busy = 1 - intermittent.empty_share(weekdays)
    level, wobble = baseline.level.mean * busy, baseline.wobble
    if now:
        level, wobble = baseline.level.mean / max(busy, _LEAST_BUSY_SHARE), intermittent.SIZE_WOBBLE
    return msgspec.structs.replace(
        baseline,
        level=FadingMean(level, min(baseline.level.weight, _MOVED_WEIGHT)),
        wobble=wobble,
        judged=0,
        run=Run(),
        departure=None,
        intermittent=now,
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
    gain = max(_WOBBLE_GAIN, 1 / (baseline.judged + FITTED_READINGS))
    told = information(max(wobble, USUAL_WOBBLE), expected) * (min(seen, most) - wobble)
    # Where counting noise hides the wobble it stays near what shops usually have.
    usual = intermittent.SIZE_WOBBLE if baseline.intermittent else USUAL_WOBBLE
    drawn = _USUAL_WEIGHT * (usual - wobble)
    return max(wobble + gain * (told + drawn), LEAST_WOBBLE)


def _warm_up(
    baseline: VolumeBaseline, reading: Reading, settings: JudgingSettings
) -> VolumeBaseline:
    history = {**baseline.history, reading.bucket: (reading.slot, reading.value)}
    newest = max(baseline.last_bucket, reading.bucket)
    if len(history) >= readings_wanted(reading.key.span, settings.warmup_days):
        if reading.key.span != "day" or busy_in(history) >= intermittent.LEAST_BUSY:
            return fit(history, reading.key.span)
        if len(history) > intermittent.LONGEST_WARMUP:
            del history[min(history)]
    return VolumeBaseline(history=history, last_bucket=newest)


def busy_in(history: dict[int, tuple[int, float]]) -> int:
    """How many buckets of a warm-up held anything."""
    return sum(value > 0 for _, value in history.values())
