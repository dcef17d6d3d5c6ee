"""The baseline of a volume: judge a count by the model; `volumelearning` is how it learns."""

import msgspec

from streamwatch.baselines import habits, intermittent
from streamwatch.baselines.counts import (
    LEAST_MEAN,
    LEAST_WOBBLE,
    VolumeBaseline,
    expected_count,
    information,
    is_count,
    overdispersion,
    rest_probability,
)
from streamwatch.baselines.fleetfactor import NONE, Common, Ratio, ratio_of
from streamwatch.baselines.pace import PACES, readings_wanted
from streamwatch.baselines.tails import count_band, count_deviation, student_deviation
from streamwatch.baselines.volumelearning import (
    FITTED_READINGS,
    MOST_JUDGED,
    busy_in,
    learn,
    moved,
)
from streamwatch.baselines.windows import Joint, Past, Run, Spreads, together
from streamwatch.domain.readings import Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict, warming

__all__ = ["learn", "log_ratio", "moved", "score"]

LEAST_DIFFERENCE = 5.0
"""Events by which a volume must differ at least."""

_TAIL = 2.0
"""Deviation below which tails hardly differ."""


class Prediction(msgspec.Struct, frozen=True, gc=False):
    """What a bucket may hold: the nearest of all that would be usual, and the ends of all.

    Attributes:
        deviation: of what was counted, from the nearest.
        nearest: its mean.
        least, most: the smallest and the largest mean that would be usual.
    """

    deviation: float
    nearest: float
    least: float
    most: float

    def or_else(self, count: float, deviation: float, mean: float) -> "Prediction":
        """With another mean that would be usual too; between both a count fits fully.

        A shop that keeps no holiday is as usual as one that keeps it.
        """
        least, most = min(self.least, mean), max(self.most, mean)
        if self.deviation * deviation < 0:
            return Prediction(0.0, max(count, LEAST_MEAN), least, most)
        if abs(self.deviation) < abs(deviation):
            return Prediction(self.deviation, self.nearest, least, most)
        return Prediction(deviation, mean, least, most)


def log_ratio(baseline: VolumeBaseline, reading: Reading) -> Ratio | None:
    """What a shop tells about the common factor of its bucket; ``None`` if nothing."""
    if not baseline.is_warm or not is_count(reading.value):
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
    if not is_count(reading.value):
        return warming(reading, f"{reading.value} is no count: not judged")
    if not baseline.is_warm:
        return warming(reading, _still_wanted(baseline, reading, settings))
    spread = overdispersion(baseline, reading)
    closed = rest_probability(baseline, reading)
    predicted = _while_young(baseline, _predicted(baseline, reading, common, (spread, closed)))
    nearest = predicted.nearest * (1 - closed) if baseline.intermittent else predicted.nearest
    now = Past(reading.bucket, predicted.deviation, reading.value, nearest)
    run = Run() if common.holds else baseline.run
    joint = together(run, now, _spreads(baseline, reading, spread, closed))
    wide = spread + common.spread
    low, high = count_band(predicted.least, wide, settings.threshold)
    if predicted.most > predicted.least:
        high = count_band(predicted.most, wide, settings.threshold)[1]
    least = max(settings.volume_effect * nearest, LEAST_DIFFERENCE)
    lower = 0.0 if closed else max(min(low, nearest - least), 0.0)
    unusual = abs(joint.deviation) >= settings.threshold and _matters(joint, settings)
    return Verdict(
        key=reading.key,
        bucket=reading.bucket,
        value=reading.value,
        n=reading.n,
        state="unusual" if unusual else "usual",
        score=joint.deviation,
        expected=nearest,
        lower=lower,
        upper=max(high, nearest + least),
        reason=_reason(joint, reading, common),
        deviation=predicted.deviation,
    )


def _predicted(
    baseline: VolumeBaseline, reading: Reading, common: Common, spread_closed: tuple[float, float]
) -> Prediction:
    """By level and season, by what all shops have in common, or by a habit: the nearest."""
    spread, closed = spread_closed
    value = reading.value
    expected = expected_count(baseline, reading)
    single = count_deviation(value, expected, spread, closed)
    found = Prediction(single, expected, expected, expected)
    if common.holds:
        moved_to = expected * common.factor
        other = count_deviation(value, moved_to, spread + common.spread, closed)
        found = found.or_else(value, other, moved_to)
    habit = habits.habit_at(baseline.habits, reading.slot, reading.bucket)
    if habit is not None:
        usual = habit.ratio * baseline.level.mean
        other = count_deviation(value, usual, spread + habits.SPREAD, closed)
        found = found.or_else(value, other, usual)
    return found


def _while_young(baseline: VolumeBaseline, predicted: Prediction) -> Prediction:
    """With the heavier tail of a wobble that is known from few readings only.

    A Student's, whose degrees of freedom count by as much of the variance as is the wobble's
    (Satterthwaite 1946): counting noise needs no learning. Only upwards: downwards a count ends
    at zero, and an outage must be told by a young baseline too.
    """
    if baseline.judged >= MOST_JUDGED or predicted.deviation < _TAIL:
        return predicted
    known = baseline.judged + FITTED_READINGS
    share = information(baseline.wobble, max(predicted.nearest, LEAST_MEAN))
    deviation = student_deviation(predicted.deviation, known / max(share, 1e-3))
    return msgspec.structs.replace(predicted, deviation=deviation)


def _spreads(baseline: VolumeBaseline, reading: Reading, spread: float, closed: float) -> Spreads:
    """How the buckets of a window vary: of an intermittent shop also by being empty or not."""
    own = max(baseline.wobble - baseline.shared, LEAST_WOBBLE)
    kinship = PACES[reading.key.span].kinship
    if baseline.intermittent:
        joint = intermittent.joint_wobble(own, closed)
        return Spreads(joint, spread - own, kinship, sums_only=True)
    return Spreads(own, spread - own, kinship, sums_only=baseline.shared > 0)


def _matters(joint: Joint, settings: JudgingSettings) -> bool:
    difference = abs(joint.value - joint.expected)
    return difference >= max(settings.volume_effect * joint.expected, LEAST_DIFFERENCE)


def _still_wanted(baseline: VolumeBaseline, reading: Reading, settings: JudgingSettings) -> str:
    span = reading.key.span
    wanted, seen = readings_wanted(span, settings.warmup_days), len(baseline.history)
    if seen < wanted:
        return f"{seen} of {wanted} {span}s seen"
    busy = f"{busy_in(baseline.history)} of {intermittent.LEAST_BUSY} {span}s with records seen"
    return f"{busy}; what such a {span} holds is not known yet"


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
