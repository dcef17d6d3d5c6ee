"""Silence: noticing that a shop sends nothing, by its own cadence and the judge's clock.

The clock stands still while a partition is not read, so a silence that is told is the shop's,
not ours. What arrived is read from the partials, in the order of its arrival, so that a replay
finds the same silences, also those that ended before the judge came to look.
"""

import math
from collections.abc import Sequence

import msgspec

from streamwatch.baselines import silence
from streamwatch.baselines.counts import VolumeBaseline, arrivals, arrivals_wobble
from streamwatch.baselines.rescale import DAYS
from streamwatch.baselines.tails import deviation_of
from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import State, Verdict
from streamwatch.steps import calendar, diagnosing, partials
from streamwatch.steps import patience as waiting
from streamwatch.steps.streams import Stream
from streamwatch.steps.tick import Tick, tell

_PACE_HOURS = 12
_ROUNDING = 0.999
_LONG_MS = 7 * DAY_MS
"""A silence after which a shop's habits are learned anew."""


def learn_day(stream: Stream, day: int, *, usual: bool) -> None:
    """Learn in which hours of its day a shop sends."""
    if not usual:
        return
    counts = [0] * silence.DAY_HOURS
    for hour, parts in stream.days.get(day, {}).items():
        local = calendar.hour_slot(hour, stream.zone) % silence.DAY_HOURS
        counts[local] += partials.count([parts])
    if any(counts):
        stream.learned.cadence = silence.with_day(stream.learned.cadence, counts)


def awake(stream: Stream, arrival: int) -> bool:
    """Note that a silent shop sends again; tells whether it was silent."""
    cadence = stream.learned.cadence
    if not cadence.told or arrival <= cadence.told or cadence.due <= cadence.told:
        return False
    stream.learned.cadence = msgspec.structs.replace(cadence, due=cadence.told)
    return True


def check(tick: Tick, stream: Stream) -> None:
    """Follow the arrivals up to the clock; tell a silence that began or ended."""
    learned = stream.learned
    shortest = _shortest_told(stream)
    for first, last in _arrivals(stream, learned.cadence.last):
        gap = first - learned.cadence.last if learned.cadence.last else 0
        if gap > silence.LEAST_MS and (gap >= shortest or learned.cadence.told):
            _after_gap(tick, stream, first)
        learned.cadence = silence.arrived(learned.cadence, first, last)
    if learned.cadence.told:
        _tell_again(tick, stream)
        return
    due = _deadline(tick, stream) or 0
    if due:
        due = max(due, learned.cadence.last + silence.habit(learned.cadence))
    if due and not learned.cadence.since:
        learned.cadence = msgspec.structs.replace(learned.cadence, since=tick.clock)
    if 0 < due <= tick.clock and not learned.cadence.is_learning(due):
        _tell_silent(tick, stream, due, due)
        return
    if 0 < due <= tick.clock:
        due = tick.clock + HOUR_MS
    learned.cadence = msgspec.structs.replace(learned.cadence, due=due)


def _after_gap(tick: Tick, stream: Stream, end: int) -> None:
    """Tell a silence that ended with a record, and learn from it."""
    learned = stream.learned
    if not learned.cadence.told:
        surprising = _deadline(tick, stream)
        if surprising is None or surprising >= end:
            return
        due = max(surprising, learned.cadence.last + silence.habit(learned.cadence))
        if due < end and not learned.cadence.is_learning(due):
            _tell_silent(tick, stream, due, due)
    if learned.cadence.told:
        _tell_awake(tick, stream, end)
    learned.cadence = silence.after_gap(learned.cadence, end)


def _tell_again(tick: Tick, stream: Stream) -> None:
    """A silence that lasts is told once a day."""
    cadence = stream.learned.cadence
    days = (tick.clock - cadence.told) // DAY_MS
    if cadence.due <= tick.clock and days > 0:
        _tell_silent(tick, stream, cadence.told, cadence.told + days * DAY_MS)
    due = cadence.told + (max(days, 0) + 1) * DAY_MS
    stream.learned.cadence = msgspec.structs.replace(stream.learned.cadence, due=due)


def _arrivals(stream: Stream, after: int) -> list[tuple[int, int]]:
    """First and last arrival of every partial that brought something since."""
    found = [
        (max(part.first, after + 1), part.last)
        for hours in stream.days.values()
        for hour in hours.values()
        for part in hour.values()
        if part.last > after and part.count
    ]
    return sorted(found)


def _shortest_told(stream: Stream) -> float:
    """Milliseconds; no shorter gap can be told. Most gaps are short, and so are let go at once.

    A gap surprises by no more than all that is expected in as many of the busiest hours.
    """
    volume = _volume(stream)
    if volume is None:
        return math.inf
    week = _a_week(stream, volume)
    busiest = max(week) * max(silence.shares_of_hours(stream.learned.cadence))
    return _ROUNDING * silence.surprise_told(sum(week) / 7) / max(busiest, 1e-9) * HOUR_MS


def _volume(stream: Stream) -> VolumeBaseline | None:
    found = stream.learned.baselines.get(f"{stream.learned.span}|volume|{ALL}")
    return found if isinstance(found, VolumeBaseline) and found.is_warm else None


def _a_week(stream: Stream, volume: VolumeBaseline) -> list[float]:
    """What comes on each weekday, on average."""
    days = DAYS[stream.learned.span]
    return [arrivals(volume, weekday) / days for weekday in range(7)]


def _a_day(stream: Stream, volume: VolumeBaseline) -> float:
    """What comes on an average day."""
    return sum(_a_week(stream, volume)) / 7


def _deadline(tick: Tick, stream: Stream) -> int | None:
    learned, zone = stream.learned, stream.zone
    volume = _volume(stream)
    if volume is None or not learned.cadence.last:
        return None
    cadence = learned.cadence
    shares = silence.shares_of_hours(cadence)
    weekdays = _a_week(stream, volume)
    rates = [of_day * share for of_day in weekdays for share in shares]

    def slot_of(moment: int) -> int:
        return calendar.hour_slot(moment, zone)

    pace = _pace(stream, rates)
    rates = [rate * pace for rate in rates]
    wobble, daily = arrivals_wobble(volume), sum(weekdays) / 7
    due = silence.deadline(cadence.last, rates, slot_of, wobble, daily)
    lateness = tick.settings.lateness
    if due is None or waiting.patience(learned.late, lateness) <= lateness:
        return due
    # A shop that sends files: its next one must be late, and enough missing for a surprise.
    file_due = silence.file_deadline(cadence)
    return None if file_due is None else max(due, file_due)


def _pace(stream: Stream, rates: Sequence[float]) -> float:
    """The shop's pace in the last hours before its newest record.

    Args:
        stream: the shop's.
        rates: events to be expected in each hour of the week.
    """
    newest = stream.learned.cadence.last // HOUR_MS * HOUR_MS
    first = newest - _PACE_HOURS * HOUR_MS
    seen = partials.count(
        parts
        for day, hours in stream.days.items()
        if first - 2 * DAY_MS < day < newest
        for hour, parts in hours.items()
        if first <= hour < newest
    )
    slot = calendar.hour_slot(first, stream.zone)
    expected = sum(rates[(slot + hour) % len(rates)] for hour in range(_PACE_HOURS))
    return silence.pace(seen, expected)


def _tell_silent(tick: Tick, stream: Stream, since: int, moment: int) -> None:
    """Tell a silence that was sure at ``since``, as it stands at ``moment``."""
    cadence = stream.learned.cadence
    hours = (moment - cadence.last) / HOUR_MS
    last = f"{hours:.1f} hours without a record"
    _tell(tick, stream, moment, "unusual", hours, (since - cadence.last) / HOUR_MS, last)
    stream.learned.cadence = msgspec.structs.replace(cadence, told=since, due=since + DAY_MS)


def _tell_awake(tick: Tick, stream: Stream, moment: int) -> None:
    cadence = stream.learned.cadence
    hours = (moment - cadence.last) / HOUR_MS
    limit = (cadence.told - cadence.last) / HOUR_MS
    since = moment if moment - cadence.told > _LONG_MS else cadence.since
    stream.learned.cadence = msgspec.structs.replace(cadence, told=0, due=0, since=since)
    _tell(tick, stream, moment, "usual", 0.0, limit, f"records again after {hours:.1f} hours")


def _tell(
    tick: Tick, stream: Stream, moment: int, state: State, hours: float, limit: float, reason: str
) -> None:
    volume = _volume(stream)
    daily = max(_a_day(stream, volume) if volume else 1.0, 1e-3)
    strength = deviation_of(min(silence.FALSE_ALARMS / (30 * max(daily, 1.0)), 0.5))
    verdict = Verdict(
        key=KpiKey(stream.shop, stream.event_type, "silence", ALL, "hour"),
        bucket=moment,
        value=hours,
        n=0,
        state=state,
        score=strength if state == "unusual" else 0.0,
        expected=min(24 / daily, limit),
        lower=0.0,
        upper=limit,
        reason=f"{reason}; told after {limit:.1f} hours",
        version=1,
        judged_at=tick.clock,
        deviation=strength if state == "unusual" else 0.0,
        urgent=state == "unusual",
    )
    tell(tick, stream, diagnosing.of_silence(verdict))
    tick.state.changed_shops.add(stream.shop)
