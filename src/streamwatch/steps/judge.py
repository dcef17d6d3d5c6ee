"""JUDGE: partials and heartbeats in, verdicts out.

Read it from top to bottom: a partial is kept with its shop; a heartbeat moves the clock of
its event type; buckets whose time has come are closed: measured, judged, then learned.
The judge has no clock but the heartbeats, so a replay gives the same verdicts.
"""

import heapq
from collections.abc import Callable, Mapping
from datetime import tzinfo

import msgspec

from streamwatch.baselines import judging
from streamwatch.domain.cells import ALL, DAY_MS, Cell
from streamwatch.domain.messages import (
    VERDICTS_TOPIC,
    Heartbeat,
    Message,
    Partial,
)
from streamwatch.domain.readings import Reading
from streamwatch.domain.records import Slice
from streamwatch.domain.rows import VerdictRow
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict, warming
from streamwatch.steps import calendar, measure, partials
from streamwatch.steps import patience as waiting
from streamwatch.steps.clocks import hear
from streamwatch.steps.judgeinput import read_input
from streamwatch.steps.judgestate import (
    JudgeState,
    all_streams,
    read_state,
    schedule,
    take_changes,
)
from streamwatch.steps.step import Outcome, Settled
from streamwatch.steps.streams import (
    KEPT_MS,
    Learned,
    Stream,
    first_hour_at,
    kpi_name,
    next_task,
    records_of_hour,
)

REJUDGE_AFTER_MS = 60_000
"""Late records are gathered for so long before their bucket is judged again."""

LONGEST_GAP_MS = 400 * DAY_MS
"""A clock that jumps farther restarts a shop's learning instead of closing every day."""

_encode_verdict = msgspec.json.Encoder().encode


class JudgeStep:
    """The step that says whether a shop is outside its own normal.

    Args:
        settings: how strict.
        timezone_of: shop → its time zone.
    """

    name = "judge"
    accounted = False

    def __init__(self, settings: JudgingSettings, timezone_of: Callable[[str], tzinfo]) -> None:
        self._settings = settings
        self._timezone_of = timezone_of

    def process(self, state: JudgeState, slice_: Slice, now_ms: int) -> Outcome:
        """Take partials and heartbeats in; judge what they make due.

        Records that are neither are counted as dead-lettered. ``now_ms`` is not used.
        """
        del now_ms
        outcome = Outcome()
        for record in slice_.records:
            message = read_input(record.value)
            if message is None:
                outcome.dead_lettered += 1
                continue
            outcome.aggregated += 1
            if isinstance(message, Partial):
                self._keep(state, message)
            else:
                self._hear(state, message, outcome)
        return outcome

    def _keep(self, state: JudgeState, partial: Partial) -> None:
        """Keep a partial with its hour, unless it is old."""
        stream = self._stream(state, partial)
        learned = stream.learned
        day = calendar.day_start(partial.hour, stream.zone)
        if day < learned.next_day and not learned.judged_days:
            learned.first_day = learned.next_day = day
            state.changed_shops.add(stream.shop)
        if day < learned.next_day and day not in learned.judged_days:
            return
        hour = stream.days.setdefault(day, {}).setdefault(partial.hour, {})
        growth = partials.keep(hour, partial)
        if growth is None:
            return
        state.changed_hours.add((stream.event_type, partial.hour, stream.shop))
        clock = state.clocks.of(stream.event_type)
        if growth > 0:
            self._note_late(state, stream, day, growth, partial.cells[ALL].last_arrival)
        if day in learned.judged_days:
            learned.stale_days.setdefault(day, clock + REJUDGE_AFTER_MS)
            state.changed_shops.add(stream.shop)
        if partial.hour in learned.judged_hours:
            learned.stale_hours.setdefault(partial.hour, clock + REJUDGE_AFTER_MS)
            state.changed_shops.add(stream.shop)
        schedule(state, stream, self._settings.lateness)

    def _stream(self, state: JudgeState, partial: Partial) -> Stream:
        """The partial's stream; a new shop begins with the day of its first record."""
        streams = state.shops.setdefault(partial.shop, {})
        if partial.event_type not in streams:
            zone = self._timezone_of(partial.shop)
            day = calendar.day_start(partial.hour, zone)
            learned = Learned(first_day=day, next_day=day)
            streams[partial.event_type] = Stream(partial.shop, partial.event_type, zone, learned)
            state.changed_shops.add(partial.shop)
        return streams[partial.event_type]

    def _note_late(
        self, state: JudgeState, stream: Stream, day: int, growth: int, arrived: int
    ) -> None:
        """Learn how late this shop's records come.

        By their arrival, not by the judge's clock: in a replay its event types' partitions
        are read at different paces.
        """
        delay = arrived - calendar.next_day(day, stream.zone)
        if delay > self._settings.lateness:
            total = partials.count(stream.days[day].values())
            waiting.note(stream.learned.late, day, growth, total, delay)
            state.changed_shops.add(stream.shop)

    def _hear(self, state: JudgeState, beat: Heartbeat, outcome: Outcome) -> None:
        """Move the event type's clock and judge what has become due."""
        moved = hear(state.clocks, beat)
        state.clocks_changed = True
        if not moved:
            return
        clock = state.clocks.of(beat.event_type)
        agenda = state.agenda.setdefault(beat.event_type, [])
        while agenda and agenda[0][0] <= clock:
            due, shop = heapq.heappop(agenda)
            stream = state.shops[shop][beat.event_type]
            if due != stream.scheduled:
                continue
            stream.scheduled = -1
            state.changed_shops.add(shop)
            self._judge_due(state, stream, clock, outcome)
            schedule(state, stream, self._settings.lateness)

    def _judge_due(self, state: JudgeState, stream: Stream, clock: int, outcome: Outcome) -> None:
        """Close the stream's due buckets, one after the other."""
        if clock - stream.learned.next_day > LONGEST_GAP_MS:
            self._restart(state, stream, clock, outcome)
        while (task := next_task(stream, self._settings.lateness)).due <= clock:
            if task.is_day:
                self._judge_day(state, stream, task.bucket, outcome)
            else:
                self._judge_hour(state, stream, task.bucket, outcome)
        self._forget(state, stream, clock)

    def _judge_day(self, state: JudgeState, stream: Stream, day: int, outcome: Outcome) -> None:
        """Measure a closed day, then judge and learn each reading."""
        learned = stream.learned
        version = learned.judged_days.get(day, 0) + 1
        learned.judged_days[day] = version
        learned.stale_days.pop(day, None)
        hours = stream.days.get(day, {})
        cells = partials.merged(hours[hour] for hour in sorted(hours))
        slot = calendar.day_slot(day, stream.zone)
        for reading in measure.day_readings(
            stream.shop, stream.event_type, day, slot, cells, learned.segments
        ):
            self._judge(state, stream, reading, version, outcome)
        outcome.rows.extend(
            measure.stage_rows(stream.shop, stream.event_type, day, cells.get(ALL, Cell()))
        )
        if day == learned.next_day:
            learned.next_day = calendar.next_day(day, stream.zone)
            self._choose_hourly(stream)

    def _judge_hour(self, state: JudgeState, stream: Stream, hour: int, outcome: Outcome) -> None:
        """Judge the volume of a closed hour."""
        learned = stream.learned
        version = learned.judged_hours.get(hour, 0) + 1
        learned.judged_hours[hour] = version
        learned.stale_hours.pop(hour, None)
        if hour == learned.next_hour:
            learned.next_hour = calendar.hour_end(hour)
        count = records_of_hour(stream, calendar.day_start(hour, stream.zone), hour)
        slot = calendar.hour_slot(hour, stream.zone)
        reading = measure.hour_reading(stream.shop, stream.event_type, hour, slot, count)
        self._judge(state, stream, reading, version, outcome)

    def _judge(
        self, state: JudgeState, stream: Stream, reading: Reading, version: int, outcome: Outcome
    ) -> None:
        """Score, then learn; the verdict goes to the table and, once warm, to FLEET."""
        name = kpi_name(reading.key)
        learned = stream.learned
        if reading.key.kpi == "volume" and reading.bucket == learned.first_day:
            verdict = warming(reading, "the first day seen may be only a part of a day")
        else:
            baseline = learned.baselines.get(name) or judging.begin(reading.key)
            verdict = judging.score(baseline, reading, self._settings)
            learned.baselines[name] = judging.learn(baseline, reading, verdict, self._settings)
        clock = state.clocks.of(stream.event_type)
        verdict = msgspec.structs.replace(verdict, version=version, judged_at=clock)
        outcome.rows.append(VerdictRow(verdict))
        if verdict.state == "warming":
            return
        outcome.messages.append(_message(verdict))
        newest = learned.unusual.get(name)
        if newest is None or verdict.bucket >= newest.bucket:
            learned.unusual.pop(name, None)
            if verdict.state == "unusual":
                learned.unusual[name] = verdict

    def _choose_hourly(self, stream: Stream) -> None:
        """Judge hours of shops that send enough in each, unless their records come late."""
        learned = stream.learned
        baseline = learned.baselines.get(f"day|volume|{ALL}")
        hourly = baseline.typical / 24 if baseline else 0.0
        limit = self._settings.hourly_from
        lateness = self._settings.lateness
        if waiting.patience(learned.late, lateness) > lateness or hourly < limit / 2:
            learned.next_hour = None
            learned.stale_hours.clear()
        elif learned.next_hour is None and hourly >= limit:
            learned.next_hour = first_hour_at(learned.next_day)

    def _restart(self, state: JudgeState, stream: Stream, clock: int, outcome: Outcome) -> None:
        """Learn anew after a gap that no baseline outlives; what was open is taken back."""
        reason = f"nothing was judged for more than {LONGEST_GAP_MS // DAY_MS} days: learning anew"
        for old in stream.learned.unusual.values():
            verdict = msgspec.structs.replace(
                old,
                state="warming",
                score=0.0,
                expected=None,
                lower=None,
                upper=None,
                reason=reason,
                version=old.version + 1,
                judged_at=clock,
            )
            outcome.rows.append(VerdictRow(verdict))
            outcome.messages.append(_message(verdict))
            day = calendar.day_start(clock, stream.zone)
        stream.learned = Learned(first_day=day, next_day=day)
        for old_day in [known for known in stream.days if known < day]:
            self._drop(state, stream, old_day)

    def _forget(self, state: JudgeState, stream: Stream, clock: int) -> None:
        """Drop closed buckets that can no longer be judged again."""
        learned = stream.learned
        limit = min(clock - KEPT_MS - DAY_MS, learned.next_day - 1)
        for day in [known for known in learned.judged_days if known <= limit]:
            del learned.judged_days[day]
            learned.stale_days.pop(day, None)
        for hour in [known for known in learned.judged_hours if known <= limit]:
            del learned.judged_hours[hour]
            learned.stale_hours.pop(hour, None)
        for day in [known for known in stream.days if known <= limit]:
            self._drop(state, stream, day)

    def _drop(self, state: JudgeState, stream: Stream, day: int) -> None:
        for hour in stream.days.pop(day):
            state.changed_hours.add((stream.event_type, hour, stream.shop))

    def settle(self, state: JudgeState, fence: int, epoch: int, now_ms: int) -> Settled:
        """The shops and hours that changed, and the clocks."""
        del fence, epoch, now_ms
        return Settled(changes=take_changes(state))

    def restore(self, states: Mapping[str, bytes]) -> JudgeState:
        """The state from what `settle` returned.

        Raises:
            StateError: a value is damaged or was written by a newer version.
        """
        return read_state(states, self._timezone_of, self._settings.lateness)

    def announce(self, state: JudgeState, fence: int, epoch: int) -> list[Message]:
        """The newest verdict of every KPI that is unusual, again."""
        del fence, epoch
        return [
            _message(verdict)
            for stream in all_streams(state)
            for verdict in stream.learned.unusual.values()
        ]


def _message(verdict: Verdict) -> Message:
    return Message(VERDICTS_TOPIC, verdict.key.shop.encode(), _encode_verdict(verdict))
