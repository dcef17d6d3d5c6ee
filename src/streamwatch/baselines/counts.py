"""The model of a volume: what a shop's baseline holds, and what it predicts for a bucket.

A count is predicted as negative binomial with mean ``level * season`` and variance
``mean + overdispersion * mean²``. The overdispersion holds three things: how much the shop
wobbles from bucket to bucket, how badly the level is known, and how badly the season is
known; so a young baseline is careful by itself. Of an intermittent shop (see there) the level is
the usual size of what comes, without season, and its weekdays tell how often nothing does.
"""

import math

import msgspec

from streamwatch.baselines import intermittent, season
from streamwatch.baselines.departure import Departure
from streamwatch.baselines.forgetting import FadingMean
from streamwatch.baselines.habits import Habits
from streamwatch.baselines.pace import PACES
from streamwatch.baselines.tails import is_sound
from streamwatch.baselines.windows import Run
from streamwatch.domain.readings import Reading

LEAST_MEAN = 0.01
LEAST_FACTOR = 1e-9
"""Of an hour or weekday that is always empty."""

LEAST_WOBBLE = 2e-3
PRIOR_WOBBLE = 0.05
USUAL_WOBBLE = 0.02
HOUR_KEEP = 0.93


class VolumeBaseline(msgspec.Struct, frozen=True, gc=False, tag="volume"):
    """What is normal for one volume.

    Attributes:
        level: events per bucket without season, and the weight of what it rests on.
        weekdays, hours: the season; ``hours``, of a working day and of the weekend, only for
            hourly readings; weeks have none.
        wobble: relative variance from bucket to bucket beyond counting noise.
        history: the warm-up's readings, bucket → slot and value; empty once warm.
        last_bucket: the newest bucket that was learned; -1 before the first.
        departure: a change under way that is not learned yet.
        run: the last deviations, for windows and slow drift.
        judged: readings learned since the warm-up, up to 100.
        former: what was normal before the last lasting change; see `judging`.
        shared: of hours: relative variance that all hours of a day have in common, which is how
            much the shop's days wobble.
        intermittent: whether most buckets are empty, see `baselines.intermittent`.
        habits: departures that come again in the same place of the week.
    """

    level: FadingMean = FadingMean()
    weekdays: season.Season = ()
    hours: season.Season = ()
    wobble: float = PRIOR_WOBBLE
    history: dict[int, tuple[int, float]] = {}
    last_bucket: int = -1
    departure: Departure | None = None
    run: Run = Run()
    judged: int = 0
    former: "VolumeBaseline | None" = None
    shared: float = 0.0
    intermittent: bool = False
    habits: Habits = ()

    @property
    def is_warm(self) -> bool:
        """Whether it can judge."""
        return self.level.weight > 0

    @property
    def typical(self) -> float:
        """Events of an average bucket, as far as known."""
        if self.intermittent:
            return self.level.mean * (1 - intermittent.empty_share(self.weekdays))
        if self.is_warm:
            return self.level.mean
        return sum(value for _, value in self.history.values()) / max(len(self.history), 1)


def is_count(value: float) -> bool:
    """Whether a number can be a count."""
    return is_sound(value) and value >= 0


def expected_count(baseline: VolumeBaseline, reading: Reading) -> float:
    """Events that the bucket of a reading should hold."""
    return max(baseline.level.mean * factor_of(baseline, reading), LEAST_MEAN)


def overdispersion(baseline: VolumeBaseline, reading: Reading) -> float:
    """The bucket's own wobble, plus the level's and the season's uncertainty."""
    pace = PACES[reading.key.span]
    level = max(baseline.level.mean, LEAST_MEAN)
    wobble = max(baseline.wobble, baseline.shared + LEAST_WOBBLE)
    single = wobble + 1 / level
    of_level = single / max(baseline.level.weight / pace.alike, 1.0)
    of_weekday = of_hour = 0.0
    if baseline.weekdays and not baseline.intermittent:
        prior = season.weekday_prior(level)
        of_weekday = single * _season_error(baseline.weekdays[weekday_of(reading)], prior)
    if baseline.hours:
        of_weekday /= season.DAY_HOURS / pace.alike
        of_hour = single * _season_error(baseline.hours[hour_of(reading)], season.hour_prior(level))
    return wobble + of_level + of_weekday + of_hour


def _season_error(slot: season.Slot, prior: float) -> float:
    """Variance of a slot's factor, for readings of variance 1."""
    known = slot.ratio.weight
    return known / ((known + prior) * (known + prior)) if known else 1.0


def rest_probability(baseline: VolumeBaseline, reading: Reading) -> float:
    """Probability that the shop rests on the reading's day."""
    if baseline.hours or not baseline.weekdays:
        return 0.0
    if baseline.intermittent:
        return intermittent.empty_probability(baseline.weekdays, weekday_of(reading))
    slot = baseline.weekdays[weekday_of(reading)]
    if slot.zeros == 0:
        return 0.0
    by_chance = (1 + baseline.wobble * baseline.level.mean) ** (-1 / baseline.wobble)
    return slot.closed(by_chance)


def arrivals(baseline: VolumeBaseline, weekday: int) -> float:
    """What comes on an average day of a weekday: events, or of an intermittent shop orders.

    An intermittent shop's are as many as leave a day empty as often as it is.
    """
    if baseline.intermittent:
        return -math.log(intermittent.empty_probability(baseline.weekdays, weekday))
    return baseline.level.mean * factor_at(baseline, weekday)


def arrivals_wobble(baseline: VolumeBaseline) -> float:
    """Relative variance of `arrivals` from day to day."""
    return PRIOR_WOBBLE if baseline.intermittent else baseline.wobble


def factor_of(baseline: VolumeBaseline, reading: Reading) -> float:
    """The season's factor for a reading."""
    return factor_at(baseline, reading.slot)


def factor_at(baseline: VolumeBaseline, slot: int) -> float:
    """The season's factor for a slot: weekday, or hour of the week."""
    if not baseline.weekdays or baseline.intermittent:
        return 1.0
    level = baseline.level.mean
    if not baseline.hours:
        return max(baseline.weekdays[slot].factor(season.weekday_prior(level)), LEAST_FACTOR)
    weekday, hour = places(slot, hourly=True)
    factor = baseline.weekdays[weekday].factor(season.weekday_prior(level))
    factor *= baseline.hours[hour].factor(season.hour_prior(level))
    return max(factor, LEAST_FACTOR)


def places(slot: int, *, hourly: bool) -> tuple[int, int]:
    """Where a slot stands in the weekdays and in the hours of the season."""
    if not hourly:
        return slot, 0
    weekday, hour = divmod(slot, season.DAY_HOURS)
    return weekday, hour + (season.DAY_HOURS if weekday >= season.SATURDAY else 0)


def weekday_of(reading: Reading) -> int:
    """The weekday of a reading."""
    if reading.key.span == "day":
        return reading.slot
    return places(reading.slot, hourly=reading.key.span == "hour")[0]


def hour_of(reading: Reading) -> int:
    """The place of an hourly reading in `season.PROFILE_HOURS`."""
    return places(reading.slot, hourly=reading.key.span == "hour")[1]


def information(wobble: float, expected: float) -> float:
    """How much a count tells about the wobble: near 0 where counting noise hides it, up to 1.

    >>> round(information(0.05, 2.0), 3), round(information(0.05, 2000.0), 2)
    (0.008, 0.98)
    """
    share = wobble * expected / (1 + wobble * expected)
    return share * share
