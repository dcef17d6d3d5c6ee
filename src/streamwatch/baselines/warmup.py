"""From a volume's warm-up readings to its baseline: season, level, then wobble."""

import msgspec

from streamwatch.baselines import intermittent, season
from streamwatch.baselines.counts import (
    HOUR_KEEP,
    LEAST_MEAN,
    LEAST_WOBBLE,
    PRIOR_WOBBLE,
    VolumeBaseline,
    factor_at,
    information,
    places,
)
from streamwatch.baselines.forgetting import FadingMean
from streamwatch.baselines.pace import PACES, Pace
from streamwatch.domain.readings import Span

_PRIOR_READINGS = 2.0
_KEPT_BY_CUT = 1.0


def fit(history: dict[int, tuple[int, float]], span: Span) -> VolumeBaseline:
    """The baseline that the warm-up's readings give: season, level, then wobble.

    Each round divides the values by the season found so far; three rounds settle it.
    """
    pace = PACES[span]
    buckets = sorted(history)
    readings = [history[bucket] for bucket in buckets]
    level = sum(value for _, value in readings) / len(readings)
    baseline = VolumeBaseline(
        level=FadingMean(level, len(readings)),
        weekdays=() if span in ("week", "month") else season.flat(season.WEEKDAYS),
        hours=season.flat(season.PROFILE_HOURS) if span == "hour" else (),
        last_bucket=buckets[-1],
    )
    for _ in range(3 if baseline.weekdays else 0):
        baseline = _fit_season(baseline, readings, pace)
    regular = baseline.hours or not baseline.weekdays
    if not regular and intermittent.is_intermittent(baseline.weekdays, so_far=False):
        return _fit_sizes(baseline, [value for _, value in readings if value > 0])
    return msgspec.structs.replace(baseline, wobble=_fit_wobble(baseline, readings))


def _fit_sizes(baseline: VolumeBaseline, sizes: list[float]) -> VolumeBaseline:
    """An intermittent shop's: the mean and the wobble of what came, when something came."""
    size = sum(sizes) / max(len(sizes), 1)
    return msgspec.structs.replace(
        baseline,
        level=FadingMean(size, len(sizes)),
        wobble=intermittent.size_wobble(sizes, size),
        intermittent=True,
    )


def _fit_season(
    baseline: VolumeBaseline, readings: list[tuple[int, float]], pace: Pace
) -> VolumeBaseline:
    next_season = msgspec.structs.replace(
        baseline,
        weekdays=season.flat(season.WEEKDAYS),
        hours=season.flat(season.PROFILE_HOURS) if baseline.hours else (),
    )
    weekday_prior = season.weekday_prior(baseline.level.mean)
    hour_prior = season.hour_prior(baseline.level.mean)
    for slot, value in readings:
        weekday, hour = places(slot, hourly=bool(baseline.hours))
        of_hour = baseline.hours[hour].factor(hour_prior) if baseline.hours else 1.0
        of_weekday = baseline.weekdays[weekday].factor(weekday_prior)
        share = of_hour / season.DAY_HOURS if baseline.hours else 1.0
        ratio = value / max(baseline.level.mean * of_hour, LEAST_MEAN)
        changed = next_season.weekdays[weekday].learn(
            ratio, share, pace.weekday_keep, empty=value == 0
        )
        weekdays = season.replaced(next_season.weekdays, weekday, changed)
        hours = next_season.hours
        if hours:
            ratio = value / max(baseline.level.mean * of_weekday, LEAST_MEAN)
            changed = hours[hour].learn(ratio, of_weekday, HOUR_KEEP, empty=False)
            hours = season.replaced(hours, hour, changed)
        next_season = msgspec.structs.replace(next_season, weekdays=weekdays, hours=hours)
    factors = [factor_at(next_season, slot) for slot, _ in readings]
    level = sum(value for _, value in readings) / max(sum(factors), LEAST_MEAN)
    return msgspec.structs.replace(next_season, level=FadingMean(level, sum(factors)))


def _fit_wobble(baseline: VolumeBaseline, readings: list[tuple[int, float]]) -> float:
    """Relative variance beyond counting noise, drawn towards a prior where counts tell little.

    The single squared deviations are cut off at their tenth largest per cent, so that a sale
    day within the warm-up does not blind the baseline for months.
    """
    expectations = [max(baseline.level.mean * factor_at(baseline, s), 0.01) for s, _ in readings]
    excess = [
        ((value - mean) * (value - mean) - mean) / (mean * mean)
        for (_, value), mean in zip(readings, expectations, strict=True)
    ]
    cut = sorted(excess)[int(0.9 * (len(excess) - 1))]
    weights = [mean * mean for mean in expectations]
    pairs = zip(excess, weights, strict=True)
    seen = sum(min(value, cut) * weight for value, weight in pairs) / sum(weights) / _KEPT_BY_CUT
    slots = len(baseline.weekdays) + len(baseline.hours)
    # The season was fitted to the same readings and has taken a part of their spread.
    seen *= len(readings) / max(len(readings) - slots, 1)
    guess = max(seen, PRIOR_WOBBLE)
    trust = sum(information(guess, mean) for mean in expectations)
    mixed = (_PRIOR_READINGS * PRIOR_WOBBLE + trust * seen) / (_PRIOR_READINGS + trust)
    return max(mixed, LEAST_WOBBLE)
