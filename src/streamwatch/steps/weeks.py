"""Weeks: a shop that sends one file a week is judged by the week that its file covers.

Its weeks begin on the weekday after the last day that a file holds. A week is closed a little
after the hour at which its file usually comes; where none has come by then, a fifth of a week
later, which is when its silence is told too.
"""

from itertools import pairwise
from statistics import median

import msgspec

from streamwatch.baselines.rescale import rescaled
from streamwatch.baselines.silence import Cadence
from streamwatch.domain.cells import ALL, DAY_MS, Cell
from streamwatch.domain.readings import Place, Span
from streamwatch.incidents.lifecycle import SILENCE
from streamwatch.steps import calendar, diagnosing, measure
from streamwatch.steps.patience import LateDay, is_late, patience
from streamwatch.steps.streams import Learned, Stream, Week
from streamwatch.steps.tick import Tick, judge, take_back

_LEAST_GAPS = 3
_LATEST_GAPS = 5
_SHORTEST_MS, _LONGEST_MS = round(6.3 * DAY_MS), round(7.7 * DAY_MS)
_OFTENER_MS = 5 * DAY_MS
_BURST_MS = 2 * DAY_MS
_MARGIN = 1.25
_DAYS = f"day|volume|{ALL}"


def choose(tick: Tick, stream: Stream) -> None:
    """Begin to judge a stream by the week, or by the day again, when a day or week was closed.

    What a shop's busiest stream shows holds for all of them.
    """
    streams = tick.state.shops[stream.shop].values()
    busiest = max(streams, key=lambda one: (_records(one.learned), one.event_type)).learned
    lateness = tick.settings.lateness
    if stream.learned.week is None:
        week = week_of_files(busiest, stream, lateness)
        if week and calendar.day_slot(stream.learned.next_day, stream.zone) == week.begins:
            _change(tick, stream, week, "by the week from now on, as its files come")
    elif comes_oftener(busiest.cadence):
        _change(tick, stream, None, "by the day again, since it sends more often than weekly")
    else:
        wait = _wait(busiest.late, stream, stream.learned.week.begins, lateness)
        stream.learned.week = Week(stream.learned.week.begins, wait or stream.learned.week.wait)


def judge_day(tick: Tick, stream: Stream, day: int, version: int, cells: dict[str, Cell]) -> None:
    """Judge the volume of one day of a closed week, where a day holds enough by itself."""
    baseline = stream.learned.baselines.get(_DAYS)
    if baseline is None or baseline.typical < tick.settings.hourly_from:
        return
    slot = calendar.day_slot(day, stream.zone)
    place = Place(stream.shop, stream.event_type, day, slot)
    bucket = diagnosing.bucket_of(cells, day, stream.days)
    count = cells.get(ALL, Cell()).count
    judge(tick, stream, measure.volume(place, count), version, bucket)


def week_of_files(busiest: Learned, stream: Stream, lateness: int) -> Week | None:
    """The week that a shop's files cover; ``None`` while it does not send one a week."""
    bursts = busiest.cadence.bursts[-_LATEST_GAPS - 1 :]
    gaps = [b - a for a, b in pairwise(bursts)]
    weekly = [gap for gap in gaps if _SHORTEST_MS <= gap <= _LONGEST_MS]
    if len(weekly) < _LEAST_GAPS or not _SHORTEST_MS <= median(gaps) <= _LONGEST_MS:
        return None
    if not is_late(busiest.late, lateness) or comes_oftener(busiest.cadence):
        return None
    least = min((late.delay, day) for day, late in busiest.late.items() if late.delay > lateness)
    begins = calendar.day_slot(calendar.next_day(least[1], stream.zone), stream.zone)
    return Week(begins, _wait(busiest.late, stream, begins, lateness))


def comes_oftener(cadence: Cadence) -> bool:
    """Whether records come between the files, or files more often than by the week."""
    bursts = cadence.bursts[-4:]
    gaps = [b - a for a, b in pairwise(bursts)]
    if bursts and cadence.last > bursts[-1] + _BURST_MS:
        return True
    return len(gaps) == _LEAST_GAPS and max(gaps) < _OFTENER_MS


def _wait(late: dict[int, LateDay], stream: Stream, begins: int, lateness: int) -> int:
    """How long after its end a week's file usually comes, with a margin; 0 if unknown."""
    delays = [
        one.delay
        for day, one in late.items()
        if one.delay > lateness
        and calendar.day_slot(calendar.next_day(day, stream.zone), stream.zone) == begins
    ]
    return min(round(max(delays) * _MARGIN), patience(late, lateness)) + lateness if delays else 0


def _span(week: Week | None) -> Span:
    return "week" if week else "day"


def _records(learned: Learned) -> float:
    span = "week" if learned.week else "day"
    baseline = learned.baselines.get(f"{span}|volume|all")
    return baseline.typical / (7 if learned.week else 1) if baseline else 0.0


def _change(tick: Tick, stream: Stream, week: Week | None, words: str) -> None:
    """Judge a stream by other buckets; what was open in the old ones is taken back."""
    learned = stream.learned
    old, new = learned.span, _span(week)
    open_ones = [one for one in learned.unusual.values() if one.key.kpi != SILENCE]
    take_back(tick, stream, open_ones, f"judged {words}")
    of_days = learned.baselines.get(_DAYS)
    learned.baselines = {
        new + name.removeprefix(old): rescaled(baseline, old, new)
        for name, baseline in learned.baselines.items()
        if name.startswith(f"{old}|")
    }
    if of_days is not None:
        learned.baselines[_DAYS] = of_days
    learned.usual = {k: v for k, v in learned.usual.items() if not k.startswith(f"{old}|")}
    learned.week = week
    learned.next_hour = None
    for buckets in (
        learned.judged_days, learned.stale_days, learned.judged_hours, learned.stale_hours,
        learned.paces,
    ):  # fmt: skip
        buckets.clear()
    stream.open = msgspec.structs.replace(stream.open, sums={}, told={})
    tick.state.changed_open.add(stream.shop)
