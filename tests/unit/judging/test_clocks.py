"""The judge's clocks when a worker's own clock is set."""

from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.messages import Heartbeat
from streamwatch.steps.clocks import Clocks, hear

NOW = 1_788_256_800_000
SECOND = 1_000


def beat(
    partition: int, *, sent: int, clock: int, offset: int = 10, epoch: int = 0, lag: int = 0
) -> Heartbeat:
    return Heartbeat("purchase", "purchase", partition, offset, lag, clock, sent, epoch)


def test_a_worker_whose_clock_was_ahead_holds_nobody_back_once_it_is_right_again() -> None:
    clocks = Clocks()
    hear(clocks, beat(0, sent=NOW, clock=NOW))
    hear(clocks, beat(1, sent=NOW, clock=NOW - HOUR_MS))
    hear(clocks, beat(1, sent=NOW + 2 * HOUR_MS, clock=NOW - HOUR_MS))
    hear(clocks, beat(1, sent=NOW + SECOND, clock=NOW - HOUR_MS))
    assert hear(clocks, beat(0, sent=NOW + SECOND, clock=NOW + SECOND))
    assert clocks.of("purchase") == NOW + SECOND


def test_another_worker_that_took_the_partition_over_is_believed_whatever_its_clock() -> None:
    clocks = Clocks()
    hear(clocks, beat(0, sent=NOW + 2 * HOUR_MS, clock=NOW))
    hear(clocks, beat(0, sent=NOW, clock=NOW))
    assert clocks.newest_sent == NOW


def test_a_heartbeat_from_before_is_left_aside() -> None:
    clocks = Clocks()
    hear(clocks, beat(0, sent=NOW, clock=NOW, offset=20))
    assert not hear(clocks, beat(0, sent=NOW + SECOND, clock=NOW + SECOND, offset=19))
    assert hear(clocks, beat(0, sent=NOW, clock=NOW + SECOND, offset=0, epoch=1))


def test_a_partition_that_nobody_reads_holds_its_event_type_back() -> None:
    clocks = Clocks()
    hear(clocks, beat(0, sent=NOW, clock=NOW))
    hear(clocks, beat(1, sent=NOW + 2 * 60 * SECOND, clock=NOW + 2 * 60 * SECOND))
    assert clocks.of("purchase") == NOW
