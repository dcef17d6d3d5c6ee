"""JUDGE: partials and heartbeats in, verdicts out.

Read it from top to bottom: a partial is kept with its shop, and tested while its day is open
(`watching`); a heartbeat moves the clock of its event type; buckets whose time has come are
closed together (`common`, `closing`): measured, judged, then learned; shops that should have
sent something are told (`quiet`). The judge has no clock but the heartbeats, so a replay gives
the same verdicts.
"""

import heapq
from collections.abc import Callable, Mapping
from datetime import tzinfo

from streamwatch.baselines.fleetfactor import Common
from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.messages import Acknowledge, Heartbeat, Message, Partial
from streamwatch.domain.records import Slice
from streamwatch.domain.settings import JudgingSettings
from streamwatch.steps import (
    calendar,
    closing,
    commonfactor,
    partials,
    quiet,
    rates,
    repairing,
    watching,
)
from streamwatch.steps import patience as waiting
from streamwatch.steps.clocks import hear, slowest
from streamwatch.steps.judgeinput import ReadPartial, read_input
from streamwatch.steps.judgestate import (
    JudgeState,
    all_streams,
    read_state,
    schedule,
    take_changes,
)
from streamwatch.steps.step import Outcome, Settled
from streamwatch.steps.streams import (
    DAY,
    HOUR,
    KEPT_MS,
    Learned,
    Stream,
    Task,
    bucket_of_day,
    next_task,
)
from streamwatch.steps.tick import Tick, message_of, take_back

REJUDGE_AFTER_MS = 60_000
"""Late records are gathered for so long before their bucket is judged again."""

LONGEST_GAP_MS = 400 * DAY_MS
"""A clock that jumps farther restarts a shop's learning instead of closing every day."""


LONGEST_WAIT_MS = 60 * DAY_MS
"""So far one event type's topic may be ahead of another's: a day is kept for the ratio of both."""


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
        self._planned = commonfactor.planned_days(settings.calendar)

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
            if isinstance(message, ReadPartial):
                self._keep(state, message, outcome)
            elif isinstance(message, Heartbeat):
                self._hear(state, message, outcome)
            else:
                self._repair(state, message)
        return outcome

    def _keep(self, state: JudgeState, partial: ReadPartial, outcome: Outcome) -> None:
        """Keep a partial with its hour, unless it is old."""
        stream = self._stream(state, partial)
        learned = stream.learned
        day = calendar.day_start(partial.hour, stream.zone)
        if day < learned.next_day == learned.first_day:
            learned.first_day = learned.next_day = day
            state.changed_shops.add(stream.shop)
        if day < learned.next_day and day not in learned.judged_days:
            return
        hour = stream.days.setdefault(day, {}).setdefault(partial.hour, {})
        kept = partials.keep(hour, partial, partial.sent)
        if kept is None:
            return
        state.changed_hours.add((stream.event_type, partial.hour, stream.shop))
        clock = state.clocks.of(stream.event_type)
        if kept.growth > 0:
            self._note_late(state, stream, day, kept.growth, kept.after.last)
            if quiet.awake(stream, kept.after.last):
                state.changed_shops.add(stream.shop)
        if day in learned.judged_days:
            learned.stale_days.setdefault(day, clock + REJUDGE_AFTER_MS)
            state.changed_shops.add(stream.shop)
        else:
            tick = Tick(state, self._settings, outcome, clock)
            watching.watch(tick, stream, day, partial, kept)
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
        tick = Tick(state, self._settings, outcome, state.clocks.of(beat.event_type))
        agenda = state.agenda.setdefault(beat.event_type, [])
        while agenda and agenda[0][0] <= tick.clock:
            due = agenda[0][0]
            streams = []
            while agenda and agenda[0][0] == due:
                stream = state.shops[heapq.heappop(agenda)[1]][beat.event_type]
                if stream.scheduled == due:
                    stream.scheduled = -1
                    streams.append(stream)
            self._judge_together(tick, streams)

    def _judge_together(self, tick: Tick, streams: list[Stream]) -> None:
        """Judge what is due at one moment; what is in common is known before any one learns."""
        for stream in streams:
            if tick.clock - stream.learned.next_day > LONGEST_GAP_MS:
                self._restart(tick, stream)
        tasks = [(stream, next_task(stream, self._settings.lateness)) for stream in streams]
        tasks = [(stream, task) for stream, task in tasks if task.due <= tick.clock]
        commonfactor.find(tick, tasks)
        for stream, task in tasks:
            self._judge(tick, stream, task)
        for stream in streams:
            tick.state.changed_shops.add(stream.shop)
            self._forget(tick.state, stream, tick.clock)
            schedule(tick.state, stream, self._settings.lateness)

    def _judge(self, tick: Tick, stream: Stream, task: Task) -> None:
        """Close a bucket, or see whether the shop is silent."""
        if task.kind == DAY:
            bucket = bucket_of_day(stream, task.bucket)
            closing.close_day(tick, stream, bucket, self._common(tick, stream, task))
        elif task.kind == HOUR:
            closing.close_hour(tick, stream, task.bucket, self._common(tick, stream, task))
        else:
            quiet.check(tick, stream)

    def _common(self, tick: Tick, stream: Stream, task: Task) -> Common:
        return commonfactor.of(tick, self._planned, stream, task)

    def _repair(self, state: JudgeState, message: Acknowledge) -> None:
        """Take to heart what a person said about an incident."""
        stream = state.shops.get(message.key.shop, {}).get(message.key.event_type)
        if stream is not None and repairing.repair(stream, message):
            state.changed_shops.add(stream.shop)

    def _restart(self, tick: Tick, stream: Stream) -> None:
        """Learn anew after a gap that no baseline outlives; what was open is taken back."""
        reason = f"nothing was judged for more than {LONGEST_GAP_MS // DAY_MS} days: learning anew"
        day = calendar.day_start(tick.clock, stream.zone)
        take_back(tick, stream, stream.learned.unusual.values(), reason)
        stream.learned = Learned(first_day=day, next_day=day)
        for old_day in [known for known in stream.days if known < day]:
            self._drop(tick.state, stream, old_day)

    def _forget(self, state: JudgeState, stream: Stream, clock: int) -> None:
        """Drop closed buckets that can no longer be judged again."""
        learned = stream.learned
        longest = learned.period.longest if learned.period else DAY_MS
        clock = max(
            slowest(state.clocks, rates.partners(stream.event_type)), clock - LONGEST_WAIT_MS
        )
        limit = min(clock - KEPT_MS - longest, learned.next_day - 1)
        for day in [known for known in learned.judged_days if known <= limit]:
            del learned.judged_days[day]
            learned.paces.pop(day, None)
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
            message_of(verdict)
            for stream in all_streams(state)
            for verdict in stream.learned.unusual.values()
        ]
