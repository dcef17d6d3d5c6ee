"""Weeks: a shop that sends one file a week is judged by the week that its file covers.

Its weeks begin on the weekday after the last day that a file holds. A week is closed a little
after the hour at which its file usually comes; where none has come by then, a fifth of a week
later, which is when its silence is told too. With one file a month it is the same with months.
"""

from itertools import pairwise
from statistics import median

import msgspec

from streamwatch.baselines.rescale import DAYS, rescaled
from streamwatch.baselines.silence import Cadence
from streamwatch.domain.cells import ALL, DAY_MS, Cell
from streamwatch.domain.readings import Place, Span
from streamwatch.incidents.lifecycle import SILENCE
from streamwatch.steps import calendar, diagnosing, measure, months
from streamwatch.steps.patience import LateDay, is_late, patience
from streamwatch.steps.streams import Learned, Period, Stream, bucket_of_day
from streamwatch.steps.tick import Tick, judge, take_back

_LEAST_GAPS = 3
_LATEST_GAPS = 5
_OFTENER_MS = {"week": 5 * DAY_MS, "month": 20 * DAY_MS}
_SHORTEST_MS, _LONGEST_MS = round(6.3 * DAY_MS), round(7.7 * DAY_MS)
_BURST_MS = 2 * DAY_MS
_MARGIN = 1.25
_DAYS = f"day|volume|{ALL}"


def choose(tick: Tick, stream: Stream) -> None:
    """Begin to judge a stream by the week or month, or by the day again, when a bucket was closed.

    What a shop's busiest stream shows holds for all of them.
    """
    streams = tick.state.shops[stream.shop].values()
    busiest = max(streams, key=lambda one: (_records(one.learned), one.event_type))
    lateness, period = tick.settings.lateness, stream.learned.period
    if period is None:
        _choose_longer(tick, stream, busiest)
    elif comes_oftener(busiest.learned.cadence, period.span):
        _change(
            tick,
            stream,
            None,
            f"by the day again, since it sends more often than by the {period.span}",
        )
    elif period.span == "week":
        wait = _wait(busiest.learned.late, stream, period.begins, lateness)
        stream.learned.period = Period(period.begins, wait or period.wait)
    else:
        wait = months.wait(busiest, period.begins, lateness)
        stream.learned.period = Period(period.begins, wait, "month")


def _choose_longer(tick: Tick, stream: Stream, busiest: Stream) -> None:
    learned, lateness = stream.learned, tick.settings.lateness
    week = week_of_files(busiest.learned, stream, lateness)
    if week and calendar.day_slot(learned.next_day, stream.zone) == week.begins:
        _change(tick, stream, week, "by the week from now on, as its files come")
        return
    month = months.month_of_files(busiest, lateness)
    if month and not comes_oftener(busiest.learned.cadence, "month"):
        _change(tick, stream, month, "by the month from now on, as its files come")
        # Of the month that has begun nothing has come.
        learned.next_day = bucket_of_day(stream, learned.next_day)


def judge_day(tick: Tick, stream: Stream, day: int, version: int, cells: dict[str, Cell]) -> None:
    """Judge the volume of one day of a closed week or month, where a day holds enough by itself."""
    baseline = stream.learned.baselines.get(_DAYS)
    if baseline is None or baseline.typical < tick.settings.hourly_from:
        return
    slot = calendar.day_slot(day, stream.zone)
    place = Place(stream.shop, stream.event_type, day, slot)
    bucket = diagnosing.bucket_of(cells, day, stream.days)
    count = cells.get(ALL, Cell()).count
    judge(tick, stream, measure.volume(place, count), version, bucket)


def week_of_files(busiest: Learned, stream: Stream, lateness: int) -> Period | None:
    """The week that a shop's files cover; ``None`` while it does not send one a week."""
    bursts = busiest.cadence.bursts[-_LATEST_GAPS - 1 :]
    gaps = [b - a for a, b in pairwise(bursts)]
    weekly = [gap for gap in gaps if _SHORTEST_MS <= gap <= _LONGEST_MS]
    if len(weekly) < _LEAST_GAPS or not _SHORTEST_MS <= median(gaps) <= _LONGEST_MS:
        return None
    if not is_late(busiest.late, lateness) or comes_oftener(busiest.cadence, "week"):
        return None
    least = min((late.delay, day) for day, late in busiest.late.items() if late.delay > lateness)
    begins = calendar.day_slot(calendar.next_day(least[1], stream.zone), stream.zone)
    return Period(begins, _wait(busiest.late, stream, begins, lateness))


def comes_oftener(cadence: Cadence, span: Span) -> bool:
    """Whether records come between the files, or files more often than by the week or month."""
    bursts = cadence.bursts[-4:]
    gaps = [b - a for a, b in pairwise(bursts)]
    if bursts and cadence.last > bursts[-1] + _BURST_MS:
        return True
    return len(gaps) == _LEAST_GAPS and max(gaps) < _OFTENER_MS[span]


def _wait(late: dict[int, LateDay], stream: Stream, begins: int, lateness: int) -> int:
    """How long after its end a week's file usually comes, with a margin; 0 if unknown."""
    delays = [
        one.delay
        for day, one in late.items()
        if one.delay > lateness
        and calendar.day_slot(calendar.next_day(day, stream.zone), stream.zone) == begins
    ]
    return min(round(max(delays) * _MARGIN), patience(late, lateness)) + lateness if delays else 0


def _records(learned: Learned) -> float:
    baseline = learned.baselines.get(f"{learned.span}|volume|all")
    return baseline.typical / DAYS[learned.span] if baseline else 0.0


def _change(tick: Tick, stream: Stream, period: Period | None, words: str) -> None:
    """Judge a stream by other buckets; what was open in the old ones is taken back."""
    learned = stream.learned
    old, new = learned.span, period.span if period else "day"
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
    learned.period = period
    learned.next_hour = None
    for buckets in (
        learned.judged_days, learned.stale_days, learned.judged_hours, learned.stale_hours,
        learned.paces,
    ):  # fmt: skip
        buckets.clear()
    stream.open = msgspec.structs.replace(stream.open, sums={}, told={})
    tick.state.changed_open.add(stream.shop)
