"""The judge's clocks: up to which arrival time each event type is completely read.

The judge has no wall clock. COUNT's heartbeats say how far each source partition is, so a
silent shop (the clock goes on, nothing comes) differs from a partition that nobody reads
(the clock stands).
"""

from collections.abc import Iterable

import msgspec

from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.messages import Heartbeat

UNREAD_AFTER_MS = 60_000
"""A partition whose heartbeat is older than the newest of all by more is not being read."""

FORGOTTEN_AFTER_MS = 8 * DAY_MS
"""A partition not heard of for so long is taken for gone and holds nothing back any more."""


class Clocks(msgspec.Struct):
    """What the heartbeats have said.

    Attributes:
        beats: the newest heartbeat of each source partition, by ``topic[partition]``.
        times: the clock of each event type, milliseconds.
        newest_sent: when the newest heartbeat of all was sent.
    """

    beats: dict[str, Heartbeat] = {}
    times: dict[str, int] = {}
    newest_sent: int = 0

    def of(self, event_type: str) -> int:
        """An event type's clock; 0 before its first heartbeat."""
        return self.times.get(event_type, 0)


def slowest(clocks: Clocks, event_types: Iterable[str]) -> int:
    """The clock of the slowest of some event types, those left out that were never heard of."""
    return min((clocks.times[one] for one in event_types if one in clocks.times), default=0)


def hear(clocks: Clocks, beat: Heartbeat) -> bool:
    """Take a heartbeat in; tells whether its event type's clock moved.

    Of two at the same offset the later one in the topic counts, whatever the wall clocks of
    those who sent them: a clock that was ahead and is right again must not be believed longer.
    """
    source = f"{beat.topic}[{beat.partition}]"
    known = clocks.beats.get(source)
    if known is not None and _position(beat) < _position(known):
        return False
    clocks.beats[source] = beat
    if known is not None and known.sent == clocks.newest_sent:
        clocks.newest_sent = max(one.sent for one in clocks.beats.values())
    else:
        clocks.newest_sent = max(clocks.newest_sent, beat.sent)
    now = _clock(clocks, beat.event_type)
    if now is None or now <= clocks.of(beat.event_type):
        return False
    clocks.times[beat.event_type] = now
    return True


def _clock(clocks: Clocks, event_type: str) -> int | None:
    """The slowest partition that is behind, else the fastest of all.

    A partition without lag holds nothing back: its own clock may stand low only because
    nothing has come for it.
    """
    living = [
        beat
        for beat in clocks.beats.values()
        if beat.event_type == event_type and clocks.newest_sent - beat.sent <= FORGOTTEN_AFTER_MS
    ]
    behind = [beat.clock for beat in living if _is_behind(beat, clocks.newest_sent)]
    if behind:
        return min(behind)
    return max((beat.clock for beat in living), default=None)


def _is_behind(beat: Heartbeat, newest_sent: int) -> bool:
    return beat.lag > 0 or newest_sent - beat.sent > UNREAD_AFTER_MS


def _position(beat: Heartbeat) -> tuple[int, int]:
    return beat.epoch, beat.next_offset
