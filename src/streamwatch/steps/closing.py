"""Closing a day or an hour: measure, judge and learn every KPI of it."""

from streamwatch.baselines.fleetfactor import Common
from streamwatch.domain.cells import ALL, Cell
from streamwatch.steps import calendar, diagnosing, measure, partials, quiet, rates
from streamwatch.steps import patience as waiting
from streamwatch.steps.streams import Stream, first_hour_at, records_of_hour
from streamwatch.steps.tick import Tick, judge


def close_day(tick: Tick, stream: Stream, day: int, common: Common) -> None:
    """Judge a day that has ended, or one that late records changed."""
    learned = stream.learned
    shop, event_type = stream.shop, stream.event_type
    version = max(learned.judged_days.get(day, 0), stream.open.versions.pop(day, 0)) + 1
    learned.judged_days[day] = version
    learned.stale_days.pop(day, None)
    hours = stream.days.get(day, {})
    cells = partials.merged(hours[hour] for hour in sorted(hours))
    everything = cells.get(ALL, Cell())
    slot = calendar.day_slot(day, stream.zone)
    bucket = diagnosing.bucket_of(cells, day, stream.days)
    readings = [
        *measure.day_readings(shop, event_type, day, slot, cells, learned.segments),
        *rates.refusals(shop, event_type, day, slot, everything, learned.reasons),
    ]
    verdicts = [judge(tick, stream, reading, version, bucket, common) for reading in readings]
    whole = (shop, event_type, day, everything)
    tick.outcome.rows.extend(measure.stage_rows(*whole))
    tick.outcome.rows.extend(diagnosing.group_rows(*whole))
    tick.outcome.rows.extend(diagnosing.distribution_rows(*whole))
    if day == learned.next_day:
        learned.normals = diagnosing.learned(learned.normals, bucket, verdicts)
        learned.next_day = calendar.next_day(day, stream.zone)
        _forget_open(tick, stream, day)
        _choose_hourly(tick, stream)
        usual = all(v.state != "unusual" for v in verdicts if v.key.kpi == "volume")
        quiet.learn_day(stream, day, usual=usual)
        quiet.check(tick, stream)
    _judge_ratios(tick, stream, day)


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
    slot = calendar.hour_slot(hour, stream.zone)
    reading = measure.hour_reading(stream.shop, stream.event_type, hour, slot, count)
    hours = stream.days.get(day, {})
    cells = partials.merged([hours[hour]] if hour in hours else [])
    bucket = diagnosing.bucket_of(cells, hour, stream.days)
    judge(tick, stream, reading, version, bucket, common)


def _judge_ratios(tick: Tick, stream: Stream, day: int) -> None:
    """Judge the ratios of two event types, once both have closed the day."""
    streams = tick.state.shops[stream.shop]
    for kpi, (above, below) in rates.RATIOS.items():
        if stream.event_type not in (above, below) or above not in streams or below not in streams:
            continue
        both = (streams[above], streams[below])
        if any(day not in one.learned.judged_days or day >= one.learned.next_day for one in both):
            continue
        counts = [partials.counts(one.days.get(day, {}).values()) for one in both]
        version = sum(one.learned.judged_days[day] for one in both)
        slot = calendar.day_slot(day, stream.zone)
        for reading in rates.ratios(kpi, stream.shop, day, slot, *counts):
            judge(tick, both[0], reading, version, diagnosing.Bucket({}, {}))


def _choose_hourly(tick: Tick, stream: Stream) -> None:
    """Judge hours of shops that send enough in each, unless their records come late."""
    learned = stream.learned
    baseline = learned.baselines.get(f"day|volume|{ALL}")
    hourly = baseline.typical / 24 if baseline else 0.0
    limit, lateness = tick.settings.hourly_from, tick.settings.lateness
    if waiting.patience(learned.late, lateness) > lateness or hourly < limit / 2:
        learned.next_hour = None
        learned.stale_hours.clear()
    elif learned.next_hour is None and hourly >= limit:
        learned.next_hour = first_hour_at(learned.next_day)


def _forget_open(tick: Tick, stream: Stream, day: int) -> None:
    """The sequential tests begin anew with each day."""
    found = stream.open
    told = {kpi: on for kpi, on in found.told.items() if on > day}
    if found.sums or found.told != told:
        found.sums, found.told = {}, told
        tick.state.changed_open.add(stream.shop)
