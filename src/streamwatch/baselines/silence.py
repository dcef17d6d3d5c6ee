"""Silence: since when does a shop send nothing, and how surprising is that?

A shop that sends as things happen: ``U = sum over days of ln(1 + wobble * m) / wobble``, with
m the events that were to be expected in the silent part of the day, is how improbable the
silence is, as ``exp(-U)``. It is told at ``U >= ln(30 * events a day / F)``, which gives F
false alarms a month. Gaps that reach this again and again are the shop's habit (it uploads
every hour, say), and the longest of them but one is waited for; the first week only learns. A
shop that sends files: the next one is due after the longest of its
usual gaps, and is told when a fifth of its period more has passed.
"""

import math
from collections.abc import Callable, Sequence
from statistics import median

import msgspec

from streamwatch.domain.cells import DAY_MS, HOUR_MS

FALSE_ALARMS = 0.01
"""Of one shop and event type in a month."""

FILE_MARGIN = 0.2
"""Part of its period by which a file may be later than usual."""

LEAST_MS = 15 * 60_000
LONGEST_MS = 45 * DAY_MS
"""A shop that is expected to send less than would tell within this is not judged."""

DAY_HOURS = 24
_BURST_GAP_MS = 3 * HOUR_MS
_BURSTS = 13
_LEAST_GAPS = 4
_FIRST_MS = 7 * DAY_MS
_HABIT_MS = 14 * DAY_MS
_MOST_GAPS = 16
_MARGIN = 1.25
_PROFILE_KEEP = 0.93
_LEAST_WOBBLE = 0.03
_LEAST_PROFILE = 5.0
_PACE_PRIOR = 5.0


class Cadence(msgspec.Struct, frozen=True):
    """How a shop's records arrive.

    Attributes:
        last: arrival of the newest record that was taken into account, milliseconds.
        bursts: when the last files came: arrivals after hours without any.
        profile: fading number of records per hour of the shop's day.
        due: when silence is told unless something arrives; 0 while not known.
        told: since when it is told; 0 while the shop sends.
        since: when the first deadline was known; 0 before.
        gaps: the longest of the last gaps beyond the deadline: (when they ended, how long).
        accepted: how long a gap a person has called usual; 0 for none.
    """

    last: int = 0
    bursts: tuple[int, ...] = ()
    profile: tuple[float, ...] = ()
    due: int = 0
    told: int = 0
    since: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    accepted: int = 0

    def is_learning(self, moment: int) -> bool:
        """Whether silences are only noted at a moment, not told."""
        return not self.since or moment < self.since + _FIRST_MS


def arrived(cadence: Cadence, first: int, last: int) -> Cadence:
    """The cadence after records that arrived from ``first`` to ``last``."""
    if last <= cadence.last:
        return cadence
    bursts = cadence.bursts
    if first - cadence.last > _BURST_GAP_MS:
        bursts = (*bursts, first)[-_BURSTS:]
    return msgspec.structs.replace(cadence, last=last, bursts=bursts)


def after_gap(cadence: Cadence, end: int) -> Cadence:
    """The cadence after a gap that was longer than the deadline and ended with a record.

    Where there are many, the longest are kept: who uploads by the hour has ten short gaps a day
    and one long night.
    """
    gaps = [gap for gap in cadence.gaps if gap[0] > end - _HABIT_MS]
    gaps.append((end, end - cadence.last))
    if len(gaps) > _MOST_GAPS:
        gaps.remove(min(gaps, key=lambda gap: (gap[1], gap[0])))
    return msgspec.structs.replace(cadence, gaps=tuple(gaps))


def habit(cadence: Cadence) -> int:
    """How long a gap is this shop's habit, with a margin; 0 for none."""
    recent = sorted(length for end, length in cadence.gaps if end > cadence.last - _HABIT_MS)
    seen = recent[-2] if len(recent) >= _LEAST_GAPS else 0
    return round(max(seen, cadence.accepted) * _MARGIN)


def accepting(cadence: Cadence, told: int, length: int) -> Cadence:
    """The cadence after a person called a silence usual.

    Args:
        cadence: before.
        told: when the silence was told.
        length: how long it was then, milliseconds; if it has ended, its whole length counts.
    """
    ended = [one for end, one in cadence.gaps if end - one <= told <= end]
    return msgspec.structs.replace(cadence, accepted=max(cadence.accepted, length, *ended))


def with_day(cadence: Cadence, counts: list[int]) -> Cadence:
    """The cadence after a usual day with so many records in each local hour."""
    old = cadence.profile or (0.0,) * DAY_HOURS
    profile = tuple(a * _PROFILE_KEEP + b for a, b in zip(old, counts, strict=True))
    return msgspec.structs.replace(cadence, profile=profile)


def shares_of_hours(cadence: Cadence) -> list[float]:
    """Which part of a day's records comes in each local hour, 0 to 23."""
    total = sum(cadence.profile)
    if total < _LEAST_PROFILE:
        return [1 / DAY_HOURS] * DAY_HOURS
    return [(count + 0.2) / (total + 0.2 * DAY_HOURS) for count in cadence.profile]


def pace(seen: float, expected: float) -> float:
    """At which part of its usual pace a shop has been sending lately, at most 1.

    On a holiday that nobody announced a shop sends less, and its gaps are longer.

    >>> pace(30.0, 100.0), pace(120.0, 100.0), round(pace(0.0, 2.0), 2)
    (0.33..., 1.0, 0.71)
    """
    return min((seen + _PACE_PRIOR) / (expected + _PACE_PRIOR), 1.0)


def file_deadline(cadence: Cadence) -> int | None:
    """When a missing file is told; ``None`` before the period is known."""
    gaps = [b - a for a, b in zip(cadence.bursts, cadence.bursts[1:], strict=False)]
    if len(gaps) < _LEAST_GAPS:
        return None
    period = median(gaps)
    # The second longest, so that one outage does not make the next one go unnoticed.
    usual = sorted(gaps)[-2]
    return round(max(cadence.bursts[-1] + usual + FILE_MARGIN * period, cadence.last + LEAST_MS))


def surprise_told(daily: float) -> float:
    """The surprise at which the silence of a shop with so many events a day is told.

    >>> round(surprise_told(200.0), 1)
    13.3
    """
    return math.log(max(30 * daily / FALSE_ALARMS, math.e))


def deadline(
    last: int,
    rates: Sequence[float],
    slot_of: Callable[[int], int],
    wobble: float,
    daily: float,
) -> int | None:
    """When the silence of a shop that sends as things happen is told.

    Args:
        last: arrival of its newest record.
        rates: events expected in each hour of the week, from Monday midnight on.
        slot_of: the hour of the week in which a moment lies.
        wobble: relative variance of its days.
        daily: events on an average day.

    Returns:
        A moment, or ``None`` when too little is expected within `LONGEST_MS`.
    """
    wobble = max(wobble, _LEAST_WOBBLE)
    wanted = surprise_told(daily)
    surprise = today = 0.0
    moment, weekday = last, slot_of(last) // DAY_HOURS
    while moment < last + LONGEST_MS:
        end = (moment // HOUR_MS + 1) * HOUR_MS
        slot = slot_of(moment)
        if slot // DAY_HOURS != weekday:
            surprise += math.log1p(wobble * today) / wobble
            today, weekday = 0.0, slot // DAY_HOURS
        expected = rates[slot] * (end - moment) / HOUR_MS
        missing = wanted - surprise
        needed = math.expm1(min(wobble * missing, 50.0)) / wobble - today
        if expected >= needed:
            share = needed / expected if expected > 0 else 1.0
            return max(round(moment + share * (end - moment)), last + LEAST_MS)
        today += expected
        moment = end
    return None
