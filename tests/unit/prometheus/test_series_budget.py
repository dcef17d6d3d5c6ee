from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from tests.unit.prometheus.one_worker import (
    COUNT,
    families_of,
    flush_of,
    incident_of,
    judge,
    labels_of,
    lines_of,
    reject_row,
    tell,
    value_of,
    verdict_of,
)

from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.adapters.prometheus.shopseries import TOP_SEGMENTS
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId


def test_the_budget_goes_to_incidents_then_shops_then_segments() -> None:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"), max_series=32)
    for shop in ("shop-001", "shop-002", "shop-003"):
        whole = KpiKey(shop, "purchase", "volume")
        judge(
            metrics, verdict_of(whole), verdict_of(KpiKey(shop, "purchase", "volume", "gender=f"))
        )
    tell(metrics, incident_of(KpiKey("shop-003", "purchase", "volume", "gender=f")))
    kept = [line for line in lines_of(registry, "streamwatch_") if 'shop="' in line]
    assert len(kept) == 31
    assert len([line for line in kept if 'shop="shop-003"' in line]) == 21
    assert len([line for line in kept if 'shop="shop-001"' in line]) == 10
    assert value_of(registry, "streamwatch_series_over_budget") == 26
    assert value_of(registry, "streamwatch_series_dropped_total") == 26 * 3
    assert value_of(registry, "streamwatch_series_limit") == 32


def test_what_is_left_out_now_is_told_once_there_is_room() -> None:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"), max_series=10)
    keys = [KpiKey(shop, "purchase", "volume") for shop in ("shop-001", "shop-002")]
    for number, key in enumerate(keys):
        place = PartitionId("judge", "streamwatch.readings", number)
        judge(metrics, verdict_of(key), partition=place)
    assert value_of(registry, "streamwatch_kpi_unusual", **labels_of(keys[1])) is None
    assert value_of(registry, "streamwatch_series_over_budget") == 10
    metrics.forget(PartitionId("judge", "streamwatch.readings", 0))
    assert value_of(registry, "streamwatch_kpi_unusual", **labels_of(keys[1])) == 0
    assert value_of(registry, "streamwatch_series_over_budget") == 0


def test_endless_reasons_do_not_make_endless_series(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    rows = [reject_row(f"reason-{number}") for number in range(1_500)]
    metrics.committed(flush_of(COUNT, rows), 0.01)
    lines = lines_of(registry, "streamwatch_rejects_total{")
    assert len(lines) == 1_001
    other = next(line for line in lines if 'reason="other"' in line)
    assert float(other.rsplit(" ", 1)[1]) == 500


def test_too_many_segments_become_one_with_the_farthest_score(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    keys = [KpiKey("shop-001", "purchase", "volume", f"category={n:02}") for n in range(20)]
    sizes = [replace(verdict_of(key), n=100 - place) for place, key in enumerate(keys)]
    sizes[17] = replace(sizes[17], score=-4.0)
    sizes[18] = replace(sizes[18], score=3.0)
    sizes[19] = replace(sizes[19], state="unusual")
    judge(metrics, verdict_of(), *sizes)
    told = {
        sample.labels["segment"]: sample.value
        for family in families_of(registry)
        if family.name == "streamwatch_kpi_deviation_score"
        for sample in family.samples
    }
    largest = {key.segment for key in keys[: TOP_SEGMENTS - 1]}
    assert set(told) == {"all", "other", "category=19", *largest}
    assert told["other"] == -4.0
    other = labels_of(KpiKey("shop-001", "purchase", "volume", "other"))
    assert value_of(registry, "streamwatch_kpi_unusual", **other) == 0
    assert value_of(registry, "streamwatch_volume_events", **other) is None
