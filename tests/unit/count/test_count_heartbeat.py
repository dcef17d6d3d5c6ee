"""COUNT's heartbeat: JUDGE's clock must never run ahead of the partials."""

from collections.abc import Callable
from typing import Any

from streamwatch.steps.heartbeat import heartbeat

HOUR_MS = 3_600_000
NOW = 1_788_256_800_000


def test_a_heartbeat_tells_only_what_the_last_flush_included(
    counting: Callable[..., Any], widget: Callable[..., bytes]
) -> None:
    count = counting()

    def clock(lag: int) -> int | None:
        beat = heartbeat(count.step, count.state, (3, 0, 0), lag, NOW)
        return None if beat is None else beat.clock

    count.feed(widget(), arrived=NOW - 2 * HOUR_MS)
    assert clock(lag=1) == 0
    count.settle()
    assert clock(lag=0) == NOW - 2 * HOUR_MS
    count.feed(widget(event_id="e-2"), arrived=NOW - HOUR_MS)
    assert clock(lag=1) == NOW - 2 * HOUR_MS
    count.restart()
    assert clock(lag=1) == NOW - 2 * HOUR_MS
