"""Closing a day, a week or an hour: measure, judge and learn every KPI of it."""

from collections.abc import Iterable, Iterator

import msgspec

from streamwatch.baselines import judging
from streamwatch.baselines.fleetfactor import Common
from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.readings import Reading
from streamwatch.domain.verdicts import Verdict, warming
from streamwatch.steps import calendar, diagnosing, measure, partials, quiet, rates, volumes, weeks
from streamwatch.steps import patience as waiting
from streamwatch.steps.streams import (
    Stream,
    days_of,
    first_hour_at,
    hour_of,
    place_of,
    records_of_hour,
)
from streamwatch.steps.tick import Tick, judge, tell


def close_day(tick: Tick, stream: Stream, start: int, common: Common) -> None:
    """Judge a day (or a week) that has ended, or one that late records changed."""
    learned = stream.learned
    days = days_of(stream, start)
    is_newest = start == learned.next_day
    version = max(learned.judged_days.get(start, 0), stream.open.versions.pop(start, 0)) + 1
    for day in days:
        learned.judged_days[day] = version
        learned.stale_days.pop(day, None)
    by_day = {day: _cells(tick, stream, day) for day in days}
    cells = by_day[start] if len(days) == 1 else _sum_of(by_day.values())
    bucket = diagnosing.bucket_of(cells, start, stream.days)
    place = place_of(stream, start)
    readings = [
        *measure.readings_of(place, cells, learned.segments),
        *rates.refusals(place, cells.get(ALL, Cell()), learned.reasons),
    ]
    counts = [reading for reading in readings if reading.key.kpi == "volume"]
    verdicts = volumes.judge_all(tick, stream, counts, version, bucket, common)
    verdicts += [
        judge(tick, stream, reading, version, bucket)
        for reading in readings
        if reading.key.kpi != "volume"
    ]
    if learned.period is not None:
        for day in days:
            weeks.judge_day(tick, stream, day, version, by_day[day])
    if is_newest:
        learned.normals = diagnosing.learned(learned.normals, bucket, verdicts)
        learned.next_day = calendar.next_day(days[-1], stream.zone)
        _forget_open(tick, stream, start)
        usual = all(v.state != "unusual" for v in verdicts if v.key.kpi == "volume")
        for day in days:
            quiet.learn_day(stream, day, usual=usual)
        quiet.check(tick, stream)
    _judge_ratios(tick, stream, start)
    if is_newest:
        waiting.forget(learned.late, start)
        _choose_hourly(tick, stream)
        weeks.choose(tick, stream)


def _cells(tick: Tick, stream: Stream, day: int) -> dict[str, Cell]:
    """The cells of a day, by segment; its stage statistics are told."""
    hours = stream.days.get(day, {})
    cells = partials.merged(hours[hour] for hour in sorted(hours))
    told = (stream.shop, stream.event_type, day, cells.get(ALL, Cell()))
    tick.outcome.rows.extend(measure.stage_rows(*told))
    tick.outcome.rows.extend(diagnosing.group_rows(*told))
    tick.outcome.rows.extend(diagnosing.distribution_rows(*told))
    return cells


def _sum_of(days: Iterable[dict[str, Cell]]) -> dict[str, Cell]:
    """The cells of all days together."""
    whole: dict[str, Cell] = {}
    for cells in days:
        for segment, cell in cells.items():
            whole.setdefault(segment, Cell()).merge(cell)
    return whole


def close_hour(tick: Tick, stream: Stream, hour: int, common: Common) -> None:
    """Judge the volume of an hour that has ended."""
    learned = stream.learned
    version = learned.judged_hours.get(hour, 0) + 1
    learned.judged_hours[hour] = version
    learned.stale_hours.pop(hour, None)
    if hour == learned.next_hour:
        learned.next_hour = calendar.hour_end(hour)
    day = calendar.day_start(hour, stream.zone)
    count = records_of_hour(stream, day, hour)
    reading = measure.volume(hour_of(stream, hour), count)

    def bucket() -> diagnosing.Bucket:
        hours = stream.days.get(day, {})
        cells = partials.merged([hours[hour]] if hour in hours else [])
        return diagnosing.bucket_of(cells, hour, stream.days)

    judge(tick, stream, reading, version, bucket, common)


def _judge_ratios(tick: Tick, stream: Stream, start: int) -> None:
    """Judge the ratios of two event types, once both have closed the day or week."""
    days = days_of(stream, start)
    streams = tick.state.shops[stream.shop]
    for kpi, (above, below) in rates.RATIOS.items():
        if stream.event_type not in (above, below) or above not in streams or below not in streams:
            continue
        both = (streams[above], streams[below])
        if both[0].learned.begins != both[1].learned.begins or any(
            start not in one.learned.judged_days or start >= one.learned.next_day for one in both
        ):
            continue
        hours = [[hour for day in days for hour in one.days.get(day, {}).values()] for one in both]
        counts = [partials.counts(one) for one in hours]
        version = sum(one.learned.judged_days[start] for one in both)
        reason = rates.says_nothing(kpi, volumes.pace_of(both[1].learned, start))
        for reading in rates.ratios(place_of(both[0], start), kpi, *counts):
            if reason:
                silent = warming(reading, reason)
                silent = msgspec.structs.replace(silent, version=version, judged_at=tick.clock)
                tell(tick, both[0], silent)
            else:
                parts = tuple(_unusual_volumes(both, reading))
                bucket = diagnosing.Bucket({}, {}, volumes=parts)
                judge(tick, both[0], reading, version, bucket)


def _unusual_volumes(streams: Iterable[Stream], reading: Reading) -> Iterator[Verdict]:
    """The volumes of a ratio's two event types that are unusual in its bucket."""
    name = f"{reading.key.span}|volume|{reading.key.segment}"
    for stream in streams:
        verdict = stream.learned.unusual.get(name)
        if verdict is not None and verdict.bucket == reading.bucket:
            yield verdict


def _choose_hourly(tick: Tick, stream: Stream) -> None:
    """Judge hours of shops that send enough in each, unless their records come late."""
    learned = stream.learned
    if learned.period is not None:
        return
    baseline = learned.baselines.get(f"day|volume|{ALL}")
    hourly = baseline.typical / 24 if baseline else 0.0
    limit, lateness = tick.settings.hourly_from, tick.settings.lateness
    if waiting.patience(learned.late, lateness) > lateness or hourly < limit / 2:
        learned.next_hour = None
        learned.stale_hours.clear()
    elif learned.next_hour is None and hourly >= limit:
        learned.next_hour = first_hour_at(learned.next_day)
    name = f"hour|volume|{ALL}"
    hours = judging.sharing(learned.baselines.get(name), baseline)
    if hours is not None:
        learned.baselines[name] = hours


def _forget_open(tick: Tick, stream: Stream, day: int) -> None:
    """The sequential tests begin anew with each day."""
    found = stream.open
    told = {kpi: on for kpi, on in found.told.items() if on > day}
    if found.sums or found.told != told:
        found.sums, found.told = {}, told
        tick.state.changed_open.add(stream.shop)
