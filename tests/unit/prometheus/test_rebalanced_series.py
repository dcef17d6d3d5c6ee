import msgspec
from prometheus_client import CollectorRegistry
from tests.unit.prometheus.one_worker import (
    COUNT,
    DAY,
    FLEET,
    HEIGHT,
    JUDGE,
    OTHER_JUDGE,
    incident_of,
    judge,
    labels_of,
    lines_of,
    status_of,
    tell,
    text_of,
    value_of,
    verdict_of,
)

from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.domain.readings import KpiKey


def test_the_series_of_a_revoked_partition_vanish(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    other = KpiKey("shop-002", "purchase", "volume")
    judge(metrics, verdict_of())
    judge(metrics, verdict_of(other), partition=OTHER_JUDGE)
    tell(metrics, incident_of())
    metrics.observed([status_of(JUDGE), status_of(OTHER_JUDGE), status_of(FLEET)])
    metrics.forget(JUDGE)
    metrics.forget(FLEET)
    assert "shop-001" not in text_of(registry)
    assert value_of(registry, "streamwatch_volume_events", **labels_of(other)) == 120
    assert len(lines_of(registry, "streamwatch_fence_offset{")) == 1
    metrics.forget_all()
    assert "shop-00" not in text_of(registry)
    assert not lines_of(registry, "streamwatch_fence_offset")


def test_partitions_that_are_no_longer_observed_vanish(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    metrics.observed([status_of(COUNT), status_of(JUDGE)])
    metrics.observed([status_of(JUDGE)])
    assert not lines_of(registry, "streamwatch_records")
    assert len(lines_of(registry, "streamwatch_fence_offset{")) == 1
    metrics.observed([])
    assert not lines_of(registry, "streamwatch_fence_offset")


def test_a_shop_that_moved_to_another_partition_stands_once(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    judge(metrics, verdict_of())
    moved = msgspec.structs.replace(verdict_of(bucket=20_001 * DAY), value=7.0)
    judge(metrics, moved, partition=OTHER_JUDGE)
    assert len(lines_of(registry, "streamwatch_volume_events{")) == 1
    metrics.forget(JUDGE)
    assert value_of(registry, "streamwatch_volume_events", **labels_of()) == 7


def test_what_is_restored_replaces_what_was_known(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    judge(metrics, verdict_of(), verdict_of(HEIGHT))
    metrics.restored([verdict_of()], [incident_of()], JUDGE)
    assert "mean.height" not in text_of(registry)
    assert value_of(registry, "streamwatch_incident_open", **labels_of(direction="low")) == 1


def test_deadlines_are_told_within_the_budget_and_go_with_the_partitions() -> None:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"), max_series=2)
    due = {("shop-003", "return"): 3_000, ("shop-001", "purchase"): 1_000}
    gauge = "streamwatch_next_expected_timestamp_seconds"
    metrics.expected(due | {("shop-002", "return"): 9_000})
    assert value_of(registry, gauge, shop="shop-001", event_type="purchase") == 1
    assert value_of(registry, gauge, shop="shop-003", event_type="return") == 3
    assert value_of(registry, gauge, shop="shop-002", event_type="return") is None
    assert value_of(registry, "streamwatch_series_over_budget") == 1
    metrics.forget_all()
    assert not lines_of(registry, gauge)


def test_of_two_workers_each_tells_what_it_owns_and_the_open_incident_is_the_maximum(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    other_registry = CollectorRegistry()
    other = WorkerMetrics(other_registry, Build("1.2.3", "3.11.9", "0.15.3"))
    elsewhere = KpiKey("shop-002", "purchase", "volume")
    judge(metrics, verdict_of())
    judge(other, verdict_of(elsewhere), partition=OTHER_JUDGE)
    tell(other, incident_of())
    volume, low = "streamwatch_volume_events", labels_of(direction="low")
    both = (registry, other_registry)
    assert [value_of(one, volume, **labels_of()) for one in both] == [120, None]
    assert [value_of(one, volume, **labels_of(elsewhere)) for one in both] == [None, 120]
    assert [value_of(one, "streamwatch_incident_open", **low) for one in both] == [0, 1]
