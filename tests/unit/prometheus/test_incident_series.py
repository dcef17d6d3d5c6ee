import msgspec
import pytest
from prometheus_client import CollectorRegistry
from tests.unit.prometheus.one_worker import (
    DAY,
    JUDGE,
    incident_of,
    judge,
    labels_of,
    lines_of,
    tell,
    value_of,
    verdict_of,
)

from streamwatch.adapters.prometheus.collector import WorkerMetrics
from streamwatch.domain.readings import KpiKey


def test_an_incident_that_closes_becomes_0_and_stays(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    low = labels_of(direction="low")
    judge(metrics, verdict_of())
    assert value_of(registry, "streamwatch_incident_open", **low) == 0
    tell(metrics, incident_of())
    assert value_of(registry, "streamwatch_incident_open", **low) == 1
    assert value_of(registry, "streamwatch_incident_open", **labels_of(direction="high")) == 0
    since = value_of(registry, "streamwatch_incident_since_timestamp_seconds", **low)
    assert since == 20_000 * 86_400
    assert value_of(registry, "streamwatch_incidents_open") == 1
    tell(metrics, incident_of(status="closed", revision=2))
    assert value_of(registry, "streamwatch_incident_open", **low) == 0
    assert not lines_of(registry, "streamwatch_incident_since_timestamp_seconds{")
    assert value_of(registry, "streamwatch_incidents_open") == 0
    metrics.forget(JUDGE)
    assert value_of(registry, "streamwatch_incident_open", **low) == 0


def test_an_older_revision_of_an_incident_changes_nothing(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    tell(metrics, incident_of(status="closed", revision=2), incident_of(revision=1))
    assert value_of(registry, "streamwatch_incident_open", **labels_of(direction="low")) == 0


def test_a_second_incident_in_the_same_direction_is_the_same_series(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    tell(metrics, incident_of(status="closed"), incident_of(since=20_005 * DAY, revision=2))
    assert len(lines_of(registry, 'streamwatch_incident_open{direction="low"')) == 1
    low = labels_of(direction="low")
    since = value_of(registry, "streamwatch_incident_since_timestamp_seconds", **low)
    assert since == 20_005 * 86_400


def test_a_segment_without_an_incident_has_no_incident_series(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    women = KpiKey("shop-001", "purchase", "volume", "gender=female")
    judge(metrics, verdict_of(women))
    assert not lines_of(registry, "streamwatch_incident_open{")
    tell(metrics, incident_of(women, direction="high"))
    assert len(lines_of(registry, "streamwatch_incident_open{")) == 1


@pytest.mark.parametrize("shop", ["*", "shop-001"])
def test_what_lasts_longer_than_the_incident_that_stood_for_it_stands_for_itself_again(
    metrics: WorkerMetrics, registry: CollectorRegistry, shop: str
) -> None:
    cover = incident_of(KpiKey(shop, "widget-event", "volume"))
    part = msgspec.structs.replace(incident_of(), part_of=cover.id)
    place = labels_of(direction="low")
    tell(metrics, part, cover)
    assert value_of(registry, "streamwatch_incident_open", **place) == 0
    closed = msgspec.structs.replace(cover, status="closed", revision=2)
    tell(metrics, closed)
    assert value_of(registry, "streamwatch_incident_open", **place) == 1
    info = {**place, "origin": "undetermined", "covered": ""}
    assert value_of(registry, "streamwatch_incident_origin_info", **info) == 1
