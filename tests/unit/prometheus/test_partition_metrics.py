import msgspec
from prometheus_client import CollectorRegistry
from tests.unit.prometheus.one_worker import (
    COUNT,
    FLEET,
    JUDGE,
    lines_of,
    status_of,
    value_of,
)

from streamwatch.adapters.prometheus.collector import WorkerMetrics
from streamwatch.domain.accounting import Accounting


def test_the_accounting_is_told_as_it_is(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    counts = Accounting(
        first_offset=5,
        next_offset=16,
        records_in=12,
        aggregated=6,
        rejected=3,
        dead_lettered=1,
        duplicates=2,
        gaps=1,
    )
    assert counts.adds_up
    metrics.observed([status_of(COUNT, counts), status_of(JUDGE, Accounting(records_in=99))])
    counts.records_in = 1_000  # the runner goes on; what was observed stays
    place = {"topic": "purchase", "partition": "3"}
    outcomes = {
        outcome: value_of(registry, "streamwatch_records_total", **place, outcome=outcome)
        for outcome in ("aggregated", "rejected", "dead_lettered", "duplicate")
    }
    assert outcomes == {"aggregated": 6, "rejected": 3, "dead_lettered": 1, "duplicate": 2}
    assert value_of(registry, "streamwatch_records_in_total", **place) == 12
    assert value_of(registry, "streamwatch_gaps_total", **place) == 1
    assert value_of(registry, "streamwatch_offsets_passed_total", **place) == 11
    assert value_of(registry, "streamwatch_accounting_balanced", **place) == 1
    assert len(lines_of(registry, "streamwatch_records_in_total{")) == 1
    metrics.observed([status_of(COUNT, counts)])
    assert value_of(registry, "streamwatch_accounting_balanced", **place) == 0


def test_lag_fence_and_clock_are_told_for_every_step(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    unknown = msgspec.structs.replace(status_of(FLEET), end_offset=None, clock_ms=0)
    metrics.observed([status_of(COUNT), status_of(JUDGE), unknown])
    place = {"step": "judge", "topic": "streamwatch.readings", "partition": "0"}
    assert value_of(registry, "streamwatch_fence_offset", **place) == 40
    assert value_of(registry, "streamwatch_consumer_lag_records", **place) == 5
    assert value_of(registry, "streamwatch_unflushed_records", **place) == 2
    assert value_of(registry, "streamwatch_partition_epoch", **place) == 1
    clock = "streamwatch_partition_clock_timestamp_seconds"
    assert value_of(registry, clock, **place) == 1_700_000_000.5
    assert len(lines_of(registry, "streamwatch_consumer_lag_records{")) == 2
    assert len(lines_of(registry, clock + "{")) == 2
