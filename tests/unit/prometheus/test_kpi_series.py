import math

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from tests.unit.prometheus.one_worker import (
    DAY,
    HEIGHT,
    JUDGE,
    PRICE,
    incident_of,
    judge,
    labels_of,
    lines_of,
    tell,
    text_of,
    value_of,
    verdict_of,
)

from streamwatch.adapters.prometheus.collector import WorkerMetrics
from streamwatch.domain.readings import KpiKey

PLACE = 'event_type="purchase",kpi="volume",segment="all",shop="shop-001",span="day"'
KPI_TEXT = f"""\
# HELP streamwatch_kpi_deviation_score How far the newest judged bucket is from what was \
expected, in standard deviations; below zero is lower. Not there while the KPI is warming up.
# TYPE streamwatch_kpi_deviation_score gauge
streamwatch_kpi_deviation_score{{{PLACE}}} -1.5
# HELP streamwatch_kpi_unusual 1 when the newest judged bucket is outside of its own normal, \
else 0.
# TYPE streamwatch_kpi_unusual gauge
streamwatch_kpi_unusual{{{PLACE}}} 0
# HELP streamwatch_kpi_warming 1 while too little is known of the KPI to judge it, else 0.
# TYPE streamwatch_kpi_warming gauge
streamwatch_kpi_warming{{{PLACE}}} 0
# HELP streamwatch_kpi_bucket_timestamp_seconds Start of the newest judged bucket.
# TYPE streamwatch_kpi_bucket_timestamp_seconds gauge
streamwatch_kpi_bucket_timestamp_seconds{{{PLACE}}} 1728000000.0
# HELP streamwatch_volume_events Events counted, in the newest judged bucket.
# TYPE streamwatch_volume_events gauge
streamwatch_volume_events{{{PLACE}}} 120.0
# HELP streamwatch_volume_expected_events Events counted: what was expected of that bucket.
# TYPE streamwatch_volume_expected_events gauge
streamwatch_volume_expected_events{{{PLACE}}} 150.0
# HELP streamwatch_volume_lower_events Events counted: lower end of what is usual.
# TYPE streamwatch_volume_lower_events gauge
streamwatch_volume_lower_events{{{PLACE}}} 90.0
# HELP streamwatch_volume_upper_events Events counted: upper end of what is usual.
# TYPE streamwatch_volume_upper_events gauge
streamwatch_volume_upper_events{{{PLACE}}} 210.5
# HELP streamwatch_incident_open 1 while an incident of the KPI in this direction is open and no \
other incident stands for it, else 0.
# TYPE streamwatch_incident_open gauge
streamwatch_incident_open{{direction="low",{PLACE}}} 0
streamwatch_incident_open{{direction="high",{PLACE}}} 0
"""


def test_a_verdict_gives_exactly_these_lines(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    metrics.restored([verdict_of()], [], JUDGE)
    assert text_of(registry).startswith(KPI_TEXT + "# HELP streamwatch_rows_written_total ")


def test_values_are_in_base_units(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    height = msgspec.structs.replace(
        verdict_of(HEIGHT), value=172.3, expected=171.0, lower=169.5, upper=None
    )
    judge(metrics, height, verdict_of(PRICE))
    assert value_of(registry, "streamwatch_mean_height_meters", **labels_of(HEIGHT)) == 1.723
    assert (
        value_of(registry, "streamwatch_mean_height_expected_meters", **labels_of(HEIGHT)) == 1.71
    )
    assert value_of(registry, "streamwatch_mean_height_upper_meters", **labels_of(HEIGHT)) is None
    assert value_of(registry, "streamwatch_mean_price", **labels_of(PRICE, currency="EUR")) == 120


def test_a_warming_kpi_has_no_score(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    warming = msgspec.structs.replace(verdict_of(), state="warming", score=0.0, expected=None)
    judge(metrics, warming)
    assert value_of(registry, "streamwatch_kpi_warming", **labels_of()) == 1
    assert value_of(registry, "streamwatch_kpi_unusual", **labels_of()) == 0
    assert value_of(registry, "streamwatch_kpi_deviation_score", **labels_of()) is None
    assert value_of(registry, "streamwatch_volume_expected_events", **labels_of()) is None
    assert value_of(registry, "streamwatch_volume_events", **labels_of()) == 120


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_told(
    metrics: WorkerMetrics, registry: CollectorRegistry, wrong: float
) -> None:
    odd = msgspec.structs.replace(
        verdict_of(), value=wrong, score=wrong, expected=wrong, lower=wrong, upper=wrong
    )
    judge(metrics, odd)
    assert value_of(registry, "streamwatch_kpi_unusual", **labels_of()) == 0
    assert not lines_of(registry, "streamwatch_volume")
    assert not lines_of(registry, "streamwatch_kpi_deviation_score{")


def test_the_measure_of_one_shopper_is_not_told(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    one_person = msgspec.structs.replace(verdict_of(HEIGHT), value=187.25, n=1)
    few_sales = msgspec.structs.replace(verdict_of(), value=1.0, n=1)
    judge(metrics, one_person, few_sales)
    assert value_of(registry, "streamwatch_kpi_deviation_score", **labels_of(HEIGHT)) == -1.5
    assert "mean_height" not in text_of(registry)
    assert value_of(registry, "streamwatch_volume_events", **labels_of()) == 1


def test_the_newest_bucket_and_its_latest_version_stand(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    newest = msgspec.structs.replace(verdict_of(), value=2.0, version=2)
    older = msgspec.structs.replace(verdict_of(bucket=19_999 * DAY), value=1.0, version=9)
    judge(metrics, newest)
    judge(metrics, verdict_of(), older)
    assert value_of(registry, "streamwatch_volume_events", **labels_of()) == 2


def test_a_segment_that_a_shop_gave_up_is_no_longer_told(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    shoes = KpiKey("shop-001", "purchase", "volume", "category=shoes")
    judge(metrics, verdict_of(), verdict_of(shoes))
    assert value_of(registry, "streamwatch_volume_events", **labels_of(shoes)) == 120
    judge(metrics, verdict_of(bucket=20_032 * DAY))
    assert value_of(registry, "streamwatch_volume_events", **labels_of(shoes)) is None


@pytest.mark.parametrize(
    ("kpi", "gauge", "value"),
    [
        ("silence", "streamwatch_silence_seconds", 120 * 3600),
        ("missing.height", "streamwatch_missing_ratio", 120),
        ("rejects", "streamwatch_rejects_ratio", 120),
        ("marks.age-implausible", "streamwatch_marks_ratio", 120),
        ("ratio.returns", "streamwatch_kpi_ratio", 120),
    ],
)
def test_each_kind_of_kpi_has_a_gauge_in_its_base_unit(
    metrics: WorkerMetrics, registry: CollectorRegistry, kpi: str, gauge: str, value: float
) -> None:
    key = KpiKey("shop-001", "purchase", kpi)
    judge(metrics, verdict_of(key))
    told = value_of(registry, gauge, **labels_of(key))
    assert told == pytest.approx(value)


def test_a_shop_that_has_sent_nothing_for_a_month_is_no_longer_told(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    stays = KpiKey("shop-002", "purchase", "volume")
    judge(metrics, verdict_of(), verdict_of(stays))
    tell(metrics, incident_of())
    empty = msgspec.structs.replace(verdict_of(), value=0.0, n=0, state="unusual")
    judge(metrics, msgspec.structs.replace(empty, bucket=20_031 * DAY))
    assert value_of(registry, "streamwatch_volume_events", **labels_of()) == 0
    judge(metrics, msgspec.structs.replace(empty, bucket=20_032 * DAY))
    assert "shop-001" not in text_of(registry)
    assert value_of(registry, "streamwatch_volume_events", **labels_of(stays)) == 120
    judge(metrics, verdict_of(bucket=20_033 * DAY))
    assert value_of(registry, "streamwatch_volume_events", **labels_of()) == 120
