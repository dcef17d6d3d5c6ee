"""What the shops that are closed together have in common, and the days of the calendar."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

import msgspec

from streamwatch.baselines import fleetfactor, judging
from streamwatch.baselines.fleetfactor import LEAST_SHOPS, NONE, Common, common_factor
from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS
from streamwatch.domain.settings import CalendarDay
from streamwatch.steps import calendar, measure
from streamwatch.steps.streams import (
    DAY,
    SILENCE,
    Stream,
    Task,
    bucket_of_day,
    days_of,
    hour_of,
    place_of,
    records_of_hour,
)
from streamwatch.steps.tick import Tick

KEPT_MS = 20 * DAY_MS

_PLANNED = {
    "holiday": Common(0.4, 0.3, planned=True),
    "sale": Common(2.0, 0.3, planned=True),
    "any": Common(1.0, 1.0, planned=True),
}
Planned = dict[date, list[CalendarDay]]


def planned_days(days: Sequence[CalendarDay]) -> Planned:
    """Date → what is planned for it; a date that is none is left out."""
    found: Planned = {}
    for day in days:
        try:
            first = date.fromisoformat(day.date)
            last = date.fromisoformat(day.until or day.date)
        except ValueError:
            continue
        for number in range(min((last - first).days, 366) + 1):
            found.setdefault(first + timedelta(days=number), []).append(day)
    return found


def find(tick: Tick, due: Sequence[tuple[Stream, Task]]) -> None:
    """Take the common factor of each bucket that is closed now for the first time."""
    groups: dict[tuple[str, int, int], list[Stream]] = {}
    for stream, task in due:
        newest = stream.learned.next_day if task.kind == DAY else stream.learned.next_hour
        if task.kind != SILENCE and task.bucket == newest and stream.learned.period is None:
            key = (stream.event_type, task.kind, task.bucket)
            groups.setdefault(key, []).append(stream)
    for (event_type, kind, bucket), streams in sorted(groups.items()):
        if len(streams) < LEAST_SHOPS:
            continue
        ratios = [_ratio(stream, kind, bucket) for stream in streams]
        common = common_factor([ratio for ratio in ratios if ratio is not None])
        name = _name(event_type, kind, bucket)
        if common.holds or name in tick.state.commons:
            tick.state.commons[name] = common
            tick.state.commons_changed = True
    _forget(tick)


def of(tick: Tick, planned: Planned, stream: Stream, task: Task) -> Common:
    """What is in common in a stream's bucket; in a week what its days have, on average."""
    if task.kind == DAY and stream.learned.period is not None:
        days = days_of(stream, bucket_of_day(stream, task.bucket))
        return fleetfactor.averaged([_of(tick, planned, stream, DAY, day) for day in days])
    return _of(tick, planned, stream, task.kind, task.bucket)


def _of(tick: Tick, planned: Planned, stream: Stream, kind: int, bucket: int) -> Common:
    common = tick.state.commons.get(_name(stream.event_type, kind, bucket), NONE)
    entries = planned.get(_date(bucket, stream.zone), ()) if planned else ()
    for day in entries:
        if day.shops and stream.shop not in day.shops:
            continue
        if common.holds:
            return msgspec.structs.replace(common, planned=True)
        return _PLANNED[day.effect]
    return common


def _ratio(stream: Stream, kind: int, bucket: int) -> judging.Ratio | None:
    place = place_of(stream, bucket) if kind == DAY else hour_of(stream, bucket)
    baseline = stream.learned.baselines.get(f"{place.span}|volume|{ALL}")
    if baseline is None:
        return None
    if kind == DAY:
        count = measure.records(stream.days.get(bucket, {}).values())
    else:
        count = records_of_hour(stream, calendar.day_start(bucket, stream.zone), bucket)
    return judging.log_ratio(baseline, measure.volume(place, count))


def _name(event_type: str, kind: int, bucket: int) -> str:
    """Days by their date, whatever the zone; hours as they are."""
    if kind == DAY:
        return f"{event_type}|day|{(bucket + 12 * HOUR_MS) // DAY_MS * DAY_MS}"
    return f"{event_type}|hour|{bucket}"


def _date(bucket: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(bucket / 1000, zone).date()


def _forget(tick: Tick) -> None:
    limit = tick.clock - KEPT_MS
    old = [name for name in tick.state.commons if int(name.rpartition("|")[2]) < limit]
    for name in old:
        del tick.state.commons[name]
        tick.state.commons_changed = True
