from prometheus_client import CollectorRegistry
from tests.unit.prometheus.one_worker import (
    COUNT,
    flush_of,
    lines_of,
    reject_row,
    tap_row,
    value_of,
)

from streamwatch.adapters.prometheus.collector import WorkerMetrics
from streamwatch.domain.rows import Row


def test_flushes_are_counted(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    rows: list[Row] = [tap_row(1), tap_row(2), reject_row("wrong-type")]
    metrics.committed(flush_of(COUNT, rows, values=3), 0.02, messages=4)
    metrics.committed(flush_of(COUNT, []), 60.0)
    tap = {"event_type": "widget-event", "stage": "normalise", "tap": "journey"}
    assert value_of(registry, "streamwatch_tap_rows_written_total", **tap) == 2
    reject = {
        "topic": "purchase",
        "kind": "reject",
        "stage": "validate",
        "reason": "wrong-type",
        "field": "price",
    }
    assert value_of(registry, "streamwatch_rejects_total", **reject) == 1
    assert value_of(registry, "streamwatch_rows_written_total", step="count", kind="tap") == 2
    assert value_of(registry, "streamwatch_state_values_written_total", step="count") == 3
    assert value_of(registry, "streamwatch_messages_published_total", step="count") == 4
    seconds = "streamwatch_flush_duration_seconds"
    assert value_of(registry, seconds + "_bucket", step="count", le="0.01") == 0
    assert value_of(registry, seconds + "_bucket", step="count", le="0.025") == 1
    assert value_of(registry, seconds + "_bucket", step="count", le="30.0") == 1
    assert value_of(registry, seconds + "_count", step="count") == 2
    assert value_of(registry, seconds + "_sum", step="count") == 60.02


def test_readiness_and_the_database_are_told(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    metrics.ready(True)
    metrics.database_up(True)
    assert metrics.is_ready
    assert value_of(registry, "streamwatch_ready") == 1
    assert value_of(registry, "streamwatch_database_up") == 1
    metrics.database_up(False)
    assert value_of(registry, "streamwatch_database_up") == 0


def test_a_worker_tells_of_its_own_work(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    metrics.taken("count", 0.004)
    metrics.waiting({"purchase": 3})
    metrics.loading(5)
    metrics.heartbeat(1_700_000_000_000)
    metrics.shed("purchase", "normalise", "purchases", 7)
    metrics.posted("failed")
    slices = "streamwatch_slice_duration_seconds"
    assert value_of(registry, f"{slices}_bucket", step="count", le="0.0025") == 0
    assert value_of(registry, f"{slices}_bucket", step="count", le="0.005") == 1
    assert value_of(registry, "streamwatch_slices_waiting", topic="purchase") == 3
    assert value_of(registry, "streamwatch_partitions_loading") == 5
    assert value_of(registry, "streamwatch_heartbeat_timestamp_seconds") == 1_700_000_000
    tap = {"event_type": "purchase", "stage": "normalise", "tap": "purchases"}
    assert value_of(registry, "streamwatch_tap_rows_shed_total", **tap) == 7
    assert value_of(registry, "streamwatch_webhook_posts_total", outcome="failed") == 1
    assert value_of(registry, "streamwatch_webhook_posts_total", outcome="delivered") == 0


def test_a_worker_without_partitions_says_so(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    del metrics
    assert value_of(registry, "streamwatch_ready") == 0
    assert value_of(registry, "streamwatch_incidents_open") == 0
    build = {"version": "1.2.3", "python": "3.11.9", "faust": "0.15.3"}
    assert value_of(registry, "streamwatch_build_info", **build) == 1
    assert not lines_of(registry, "streamwatch_kpi")
