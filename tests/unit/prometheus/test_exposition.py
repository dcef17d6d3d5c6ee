import math
import threading

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.prometheus.one_worker import (
    COUNT,
    DAY,
    PRICE,
    families_of,
    flush_of,
    incident_of,
    judge,
    labels_of,
    reject_row,
    samples_of,
    status_of,
    tap_row,
    tell,
    text_of,
    value_of,
    verdict_of,
)

from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.adapters.prometheus.rendered import render
from streamwatch.domain.readings import KpiKey


def test_both_text_formats_and_the_library_tell_the_same(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    judge(metrics, verdict_of(), verdict_of(PRICE))
    tell(metrics, incident_of())
    metrics.observed([status_of(COUNT)])
    library = text_string_to_metric_families(generate_latest(registry).decode())
    opened = openmetrics_families(render(registry, openmetrics).decode())  # type: ignore[no-untyped-call]
    ours = samples_of(families_of(registry))
    assert len(ours) > 30
    assert ours == samples_of(library)
    assert ours == samples_of(opened)


def test_long_names_are_cut_and_stay_apart(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    shops = ["s" * 300, "s" * 301]
    judge(metrics, *[verdict_of(KpiKey(shop, "purchase", "volume")) for shop in shops])
    told = {
        sample.labels["shop"]
        for family in families_of(registry)
        if family.name == "streamwatch_kpi_unusual"
        for sample in family.samples
    }
    assert len(told) == 2
    assert {len(shop) for shop in told} == {200}


@given(
    shops=st.lists(st.text(max_size=250), unique=True, max_size=4),
    segment=st.text(max_size=250),
    value=st.floats(),
)
def test_whatever_shops_are_called_every_series_can_be_read_and_stands_once(
    shops: list[str], segment: str, value: float
) -> None:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"))
    keys = [KpiKey(shop, "purchase", "volume", segment) for shop in shops]
    verdicts = [msgspec.structs.replace(verdict_of(key), value=value) for key in keys]
    judge(metrics, *verdicts)
    samples = [one for family in families_of(registry) for one in family.samples]
    names = [(one.name, tuple(sorted(one.labels.items()))) for one in samples]
    assert len(set(names)) == len(names)
    told = [one for one in samples if one.name == "streamwatch_kpi_unusual"]
    assert len(told) == len(shops)
    assert not any(math.isnan(one.value) for one in samples)


def test_a_scrape_during_a_flush_sees_the_whole_of_it(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    keys = [KpiKey("shop-001", "purchase", "volume", f"category={n}") for n in range(50)]
    done = threading.Event()
    seen: list[set[float]] = []

    def scrape() -> None:
        while not done.is_set():
            families = [one for one in registry.collect() if one.name.endswith("volume_events")]
            seen.extend({sample.value for sample in one.samples} for one in families)

    thread = threading.Thread(target=scrape)
    thread.start()
    for day in range(30):
        verdicts = [verdict_of(key, (20_000 + day) * DAY) for key in keys]
        judge(metrics, *[msgspec.structs.replace(one, value=float(day)) for one in verdicts])
    done.set()
    thread.join()
    assert all(len(values) == 1 for values in seen)
    last = value_of(registry, "streamwatch_volume_events", **labels_of(keys[0]))
    assert last == 29


def test_nothing_of_a_record_is_ever_told(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    metrics.committed(flush_of(COUNT, [tap_row(1), reject_row("wrong-type")]), 0.01)
    text = text_of(registry)
    for secret in ("example.org", "187.25", "event-47", "shopper", "height"):
        assert secret not in text
