"""The judge's clocks: a partition that is behind or unread holds its event type back."""

from typing import TYPE_CHECKING

from streamwatch.domain.cells import DAY_MS, HOUR_MS
from streamwatch.domain.messages import Heartbeat
from streamwatch.steps.clocks import Clocks, hear

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000


def beat(
    partition: int,
    clock: int,
    *,
    lag: int = 0,
    sent: int | None = None,
    offset: int | None = None,
    epoch: int = 0,
) -> Heartbeat:
    sent = clock if sent is None else sent
    return Heartbeat("purchase", "purchase", partition, offset or clock, lag, clock, sent, epoch)


def test_a_lagging_partition_holds_the_clock_and_a_quiet_one_does_not() -> None:
    clocks = Clocks()
    hear(clocks, beat(0, 1000))
    hear(clocks, beat(1, 500, sent=1001))
    assert clocks.of("purchase") == 1000
    hear(clocks, beat(0, 9000, sent=9000))
    hear(clocks, beat(1, 2000, lag=7, sent=9001))
    hear(clocks, beat(0, 9500, sent=9500))
    assert clocks.of("purchase") == 9000
    hear(clocks, beat(1, 9400, sent=9501))
    assert clocks.of("purchase") == 9500


def test_a_partition_that_nobody_reads_holds_the_clock() -> None:
    clocks = Clocks()
    hear(clocks, beat(0, 1000))
    hear(clocks, beat(1, 1000))
    hear(clocks, beat(1, 100_000))
    assert clocks.of("purchase") == 1000


def test_the_clock_never_goes_back_and_old_heartbeats_change_nothing() -> None:
    clocks = Clocks()
    assert hear(clocks, beat(0, 5000))
    assert not hear(clocks, beat(0, 4000, offset=6000))
    assert clocks.of("purchase") == 5000
    assert not hear(clocks, beat(0, 9000, offset=10))
    assert clocks.of("purchase") == 5000


def test_lag_keeps_a_day_open(company: "Company") -> None:
    company.send("shop-001", MONDAY + HOUR_MS, 7)
    company.beat(MONDAY + HOUR_MS, lag=100)
    company.beat(MONDAY + 3 * DAY_MS, partition=1)
    assert company.verdicts == []
