import math
import threading
from collections.abc import Iterable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.adapters.prometheus.partitions import PartitionStatus
from streamwatch.adapters.prometheus.rendered import render
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.incidents import Direction, Incident, Status
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow, RejectRow, Row, TapRow, VerdictRow
from streamwatch.domain.verdicts import Verdict
from streamwatch.runner.ports import Flush

COUNT = PartitionId("count", "purchase", 3)
JUDGE = PartitionId("judge", "streamwatch.readings", 0)
OTHER_JUDGE = PartitionId("judge", "streamwatch.readings", 1)
FLEET = PartitionId("fleet", "streamwatch.verdicts", 0)
DAY = 86_400_000
VOLUME = KpiKey("shop-001", "purchase", "volume")
HEIGHT = KpiKey("shop-001", "widget-event", "mean.height")
PRICE = KpiKey("shop-001", "purchase", "mean.price.EUR")


@pytest.fixture(name="registry")
def _registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture(name="metrics")
def _metrics(registry: CollectorRegistry) -> WorkerMetrics:
    return WorkerMetrics(registry, Build("1.2.3", "3.11.9", "0.15.3"))


def _verdict(key: KpiKey = VOLUME, bucket: int = 20_000 * DAY) -> Verdict:
    return Verdict(
        key=key,
        bucket=bucket,
        value=120.0,
        n=120,
        state="usual",
        score=-1.5,
        expected=150.0,
        lower=90.0,
        upper=210.5,
        reason="within the band",
        version=1,
        judged_at=bucket + DAY,
    )


def _incident(
    key: KpiKey = VOLUME,
    status: Status = "open",
    direction: Direction = "low",
    since: int = 20_000 * DAY,
    revision: int = 1,
) -> Incident:
    return Incident(
        id=f"{key.shop}/{key.event_type}/{key.kpi}/{key.segment}/{key.span}/{direction}@{since}",
        key=key,
        direction=direction,
        status=status,
        since=since,
        until=since + 2 * DAY if status == "closed" else None,
        last_bucket=since + DAY,
        value=20.0,
        expected=150.0,
        lower=90.0,
        upper=210.5,
        score=-6.0,
        buckets=2,
        reason="far below",
        revision=revision,
        updated_at=since + DAY,
    )


def _flush(partition: PartitionId, rows: Sequence[Row], values: int = 0) -> Flush:
    changes = {f"shop/{number}": b"\x01" for number in range(values)}
    return Flush(partition, 0, 10, 0, "", changes, rows, None)


def _judged(metrics: WorkerMetrics, *verdicts: Verdict, partition: PartitionId = JUDGE) -> None:
    metrics.committed(_flush(partition, [VerdictRow(one) for one in verdicts]), 0.01)


def _told(metrics: WorkerMetrics, *incidents: Incident) -> None:
    metrics.committed(_flush(FLEET, [IncidentRow(one) for one in incidents]), 0.01)


def _status(partition: PartitionId, accounting: Accounting | None = None) -> PartitionStatus:
    return PartitionStatus(
        partition=partition,
        fence=40,
        epoch=1,
        end_offset=45,
        accounting=accounting or Accounting(),
        clock_ms=1_700_000_000_500,
        unflushed=2,
    )


def _text(registry: CollectorRegistry) -> str:
    return render(registry, generate_latest).decode()


def _lines(registry: CollectorRegistry, start: str) -> list[str]:
    return [line for line in _text(registry).splitlines() if line.startswith(start)]


def _value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def _labels(key: KpiKey = VOLUME, **more: str) -> dict[str, str]:
    return {**msgspec.structs.asdict(key), **more}


def _families(registry: CollectorRegistry) -> list[Metric]:
    return list(text_string_to_metric_families(_text(registry)))


def _told_by(families: Iterable[Metric]) -> set[tuple[str, tuple[tuple[str, str], ...], float]]:
    return {
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in families
        for sample in family.samples
    }


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
    metrics.restored([_verdict()], [], JUDGE)
    assert _text(registry).startswith(KPI_TEXT + "# HELP streamwatch_rows_written_total ")


def test_a_worker_without_partitions_says_so(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    del metrics
    assert _value(registry, "streamwatch_ready") == 0
    assert _value(registry, "streamwatch_incidents_open") == 0
    build = {"version": "1.2.3", "python": "3.11.9", "faust": "0.15.3"}
    assert _value(registry, "streamwatch_build_info", **build) == 1
    assert not _lines(registry, "streamwatch_kpi")


def test_both_text_formats_and_the_library_tell_the_same(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    _judged(metrics, _verdict(), _verdict(PRICE))
    _told(metrics, _incident())
    metrics.observed([_status(COUNT)])
    library = text_string_to_metric_families(generate_latest(registry).decode())
    opened = openmetrics_families(render(registry, openmetrics).decode())  # type: ignore[no-untyped-call]
    ours = _told_by(_families(registry))
    assert len(ours) > 30
    assert ours == _told_by(library)
    assert ours == _told_by(opened)


def test_values_are_in_base_units(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    height = msgspec.structs.replace(
        _verdict(HEIGHT), value=172.3, expected=171.0, lower=169.5, upper=None
    )
    _judged(metrics, height, _verdict(PRICE))
    assert _value(registry, "streamwatch_mean_height_meters", **_labels(HEIGHT)) == 1.723
    assert _value(registry, "streamwatch_mean_height_expected_meters", **_labels(HEIGHT)) == 1.71
    assert _value(registry, "streamwatch_mean_height_upper_meters", **_labels(HEIGHT)) is None
    assert _value(registry, "streamwatch_mean_price", **_labels(PRICE, currency="EUR")) == 120


def test_a_warming_kpi_has_no_score(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    warming = msgspec.structs.replace(_verdict(), state="warming", score=0.0, expected=None)
    _judged(metrics, warming)
    assert _value(registry, "streamwatch_kpi_warming", **_labels()) == 1
    assert _value(registry, "streamwatch_kpi_unusual", **_labels()) == 0
    assert _value(registry, "streamwatch_kpi_deviation_score", **_labels()) is None
    assert _value(registry, "streamwatch_volume_expected_events", **_labels()) is None
    assert _value(registry, "streamwatch_volume_events", **_labels()) == 120


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_told(
    metrics: WorkerMetrics, registry: CollectorRegistry, wrong: float
) -> None:
    odd = msgspec.structs.replace(
        _verdict(), value=wrong, score=wrong, expected=wrong, lower=wrong, upper=wrong
    )
    _judged(metrics, odd)
    assert _value(registry, "streamwatch_kpi_unusual", **_labels()) == 0
    assert not _lines(registry, "streamwatch_volume")
    assert not _lines(registry, "streamwatch_kpi_deviation_score{")


def test_the_measure_of_one_shopper_is_not_told(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    one_person = msgspec.structs.replace(_verdict(HEIGHT), value=187.25, n=1)
    few_sales = msgspec.structs.replace(_verdict(), value=1.0, n=1)
    _judged(metrics, one_person, few_sales)
    assert _value(registry, "streamwatch_kpi_deviation_score", **_labels(HEIGHT)) == -1.5
    assert "mean_height" not in _text(registry)
    assert _value(registry, "streamwatch_volume_events", **_labels()) == 1


def test_the_newest_bucket_and_its_latest_version_stand(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    newest = msgspec.structs.replace(_verdict(), value=2.0, version=2)
    older = msgspec.structs.replace(_verdict(bucket=19_999 * DAY), value=1.0, version=9)
    _judged(metrics, newest)
    _judged(metrics, _verdict(), older)
    assert _value(registry, "streamwatch_volume_events", **_labels()) == 2


def test_a_segment_that_a_shop_gave_up_is_no_longer_told(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    shoes = KpiKey("shop-001", "purchase", "volume", "category=shoes")
    _judged(metrics, _verdict(), _verdict(shoes))
    assert _value(registry, "streamwatch_volume_events", **_labels(shoes)) == 120
    _judged(metrics, _verdict(bucket=20_032 * DAY))
    assert _value(registry, "streamwatch_volume_events", **_labels(shoes)) is None


def test_an_incident_that_closes_becomes_0_and_stays(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    low = _labels(direction="low")
    _judged(metrics, _verdict())
    assert _value(registry, "streamwatch_incident_open", **low) == 0
    _told(metrics, _incident())
    assert _value(registry, "streamwatch_incident_open", **low) == 1
    assert _value(registry, "streamwatch_incident_open", **_labels(direction="high")) == 0
    since = _value(registry, "streamwatch_incident_since_timestamp_seconds", **low)
    assert since == 20_000 * 86_400
    assert _value(registry, "streamwatch_incidents_open") == 1
    _told(metrics, _incident(status="closed", revision=2))
    assert _value(registry, "streamwatch_incident_open", **low) == 0
    assert not _lines(registry, "streamwatch_incident_since_timestamp_seconds{")
    assert _value(registry, "streamwatch_incidents_open") == 0
    metrics.forget(JUDGE)
    assert _value(registry, "streamwatch_incident_open", **low) == 0


def test_an_older_revision_of_an_incident_changes_nothing(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    _told(metrics, _incident(status="closed", revision=2), _incident(revision=1))
    assert _value(registry, "streamwatch_incident_open", **_labels(direction="low")) == 0


def test_a_second_incident_in_the_same_direction_is_the_same_series(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    _told(metrics, _incident(status="closed"), _incident(since=20_005 * DAY, revision=2))
    assert len(_lines(registry, 'streamwatch_incident_open{direction="low"')) == 1
    low = _labels(direction="low")
    since = _value(registry, "streamwatch_incident_since_timestamp_seconds", **low)
    assert since == 20_005 * 86_400


def test_a_segment_without_an_incident_has_no_incident_series(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    women = KpiKey("shop-001", "purchase", "volume", "gender=female")
    _judged(metrics, _verdict(women))
    assert not _lines(registry, "streamwatch_incident_open{")
    _told(metrics, _incident(women, direction="high"))
    assert len(_lines(registry, "streamwatch_incident_open{")) == 1


def test_the_series_of_a_revoked_partition_vanish(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    other = KpiKey("shop-002", "purchase", "volume")
    _judged(metrics, _verdict())
    _judged(metrics, _verdict(other), partition=OTHER_JUDGE)
    _told(metrics, _incident())
    metrics.observed([_status(JUDGE), _status(OTHER_JUDGE), _status(FLEET)])
    metrics.forget(JUDGE)
    metrics.forget(FLEET)
    assert "shop-001" not in _text(registry)
    assert _value(registry, "streamwatch_volume_events", **_labels(other)) == 120
    assert len(_lines(registry, "streamwatch_fence_offset{")) == 1
    metrics.forget_all()
    assert "shop-00" not in _text(registry)
    assert not _lines(registry, "streamwatch_fence_offset")


def test_partitions_that_are_no_longer_observed_vanish(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    metrics.observed([_status(COUNT), _status(JUDGE)])
    metrics.observed([_status(JUDGE)])
    assert not _lines(registry, "streamwatch_records")
    assert len(_lines(registry, "streamwatch_fence_offset{")) == 1
    metrics.observed([])
    assert not _lines(registry, "streamwatch_fence_offset")


def test_a_shop_that_moved_to_another_partition_stands_once(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    _judged(metrics, _verdict())
    moved = msgspec.structs.replace(_verdict(bucket=20_001 * DAY), value=7.0)
    _judged(metrics, moved, partition=OTHER_JUDGE)
    assert len(_lines(registry, "streamwatch_volume_events{")) == 1
    metrics.forget(JUDGE)
    assert _value(registry, "streamwatch_volume_events", **_labels()) == 7


def test_what_is_restored_replaces_what_was_known(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    _judged(metrics, _verdict(), _verdict(HEIGHT))
    metrics.restored([_verdict()], [_incident()], JUDGE)
    assert "mean.height" not in _text(registry)
    assert _value(registry, "streamwatch_incident_open", **_labels(direction="low")) == 1


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
    metrics.observed([_status(COUNT, counts), _status(JUDGE, Accounting(records_in=99))])
    counts.records_in = 1_000  # the runner goes on; what was observed stays
    place = {"topic": "purchase", "partition": "3"}
    outcomes = {
        outcome: _value(registry, "streamwatch_records_total", **place, outcome=outcome)
        for outcome in ("aggregated", "rejected", "dead_lettered", "duplicate")
    }
    assert outcomes == {"aggregated": 6, "rejected": 3, "dead_lettered": 1, "duplicate": 2}
    assert _value(registry, "streamwatch_records_in_total", **place) == 12
    assert _value(registry, "streamwatch_gaps_total", **place) == 1
    assert _value(registry, "streamwatch_offsets_passed_total", **place) == 11
    assert _value(registry, "streamwatch_accounting_balanced", **place) == 1
    assert len(_lines(registry, "streamwatch_records_in_total{")) == 1
    metrics.observed([_status(COUNT, counts)])
    assert _value(registry, "streamwatch_accounting_balanced", **place) == 0


def test_lag_fence_and_clock_are_told_for_every_step(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    unknown = msgspec.structs.replace(_status(FLEET), end_offset=None, clock_ms=0)
    metrics.observed([_status(COUNT), _status(JUDGE), unknown])
    place = {"step": "judge", "topic": "streamwatch.readings", "partition": "0"}
    assert _value(registry, "streamwatch_fence_offset", **place) == 40
    assert _value(registry, "streamwatch_consumer_lag_records", **place) == 5
    assert _value(registry, "streamwatch_unflushed_records", **place) == 2
    assert _value(registry, "streamwatch_partition_epoch", **place) == 1
    clock = "streamwatch_partition_clock_timestamp_seconds"
    assert _value(registry, clock, **place) == 1_700_000_000.5
    assert len(_lines(registry, "streamwatch_consumer_lag_records{")) == 2
    assert len(_lines(registry, clock + "{")) == 2


def _tap_row(offset: int) -> TapRow:
    return TapRow(
        event_type="widget-event",
        stage="normalise",
        topic="widget-event",
        partition=0,
        offset=offset,
        event_id="event-4711",
        shop="shop-001",
        occurred_at=None,
        arrived_at=0,
        columns={"shopper": "ann@example.org", "height": 187.25},
        tap="journey",
    )


def _reject_row(reason: str) -> RejectRow:
    return RejectRow(
        topic="purchase",
        partition=0,
        offset=1,
        event_type="purchase",
        kind="reject",
        stage="validate",
        reason=reason,
        field="price",
        event_id="event-4712",
        shop="shop-001",
        occurred_at=None,
        arrived_at=0,
        payload='{"shopper": "bob@example.org"}',
    )


def test_flushes_are_counted(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    rows: list[Row] = [_tap_row(1), _tap_row(2), _reject_row("wrong-type")]
    metrics.committed(_flush(COUNT, rows, values=3), 0.02, messages=4)
    metrics.committed(_flush(COUNT, []), 60.0)
    tap = {"event_type": "widget-event", "stage": "normalise", "tap": "journey"}
    assert _value(registry, "streamwatch_tap_rows_written_total", **tap) == 2
    reject = {
        "topic": "purchase",
        "kind": "reject",
        "stage": "validate",
        "reason": "wrong-type",
        "field": "price",
    }
    assert _value(registry, "streamwatch_rejects_total", **reject) == 1
    assert _value(registry, "streamwatch_rows_written_total", step="count", kind="tap") == 2
    assert _value(registry, "streamwatch_state_values_written_total", step="count") == 3
    assert _value(registry, "streamwatch_messages_published_total", step="count") == 4
    seconds = "streamwatch_flush_duration_seconds"
    assert _value(registry, seconds + "_bucket", step="count", le="0.01") == 0
    assert _value(registry, seconds + "_bucket", step="count", le="0.025") == 1
    assert _value(registry, seconds + "_bucket", step="count", le="30.0") == 1
    assert _value(registry, seconds + "_count", step="count") == 2
    assert _value(registry, seconds + "_sum", step="count") == 60.02


def test_nothing_of_a_record_is_ever_told(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    metrics.committed(_flush(COUNT, [_tap_row(1), _reject_row("wrong-type")]), 0.01)
    text = _text(registry)
    for secret in ("example.org", "187.25", "event-47", "shopper", "height"):
        assert secret not in text


def test_endless_reasons_do_not_make_endless_series(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    rows = [_reject_row(f"reason-{number}") for number in range(1_500)]
    metrics.committed(_flush(COUNT, rows), 0.01)
    lines = _lines(registry, "streamwatch_rejects_total{")
    assert len(lines) == 1_001
    other = next(line for line in lines if 'reason="other"' in line)
    assert float(other.rsplit(" ", 1)[1]) == 500


def test_the_budget_goes_to_incidents_then_shops_then_segments() -> None:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"), max_series=32)
    for shop in ("shop-001", "shop-002", "shop-003"):
        whole = KpiKey(shop, "purchase", "volume")
        _judged(metrics, _verdict(whole), _verdict(KpiKey(shop, "purchase", "volume", "gender=f")))
    _told(metrics, _incident(KpiKey("shop-003", "purchase", "volume", "gender=f")))
    kept = [line for line in _lines(registry, "streamwatch_") if 'shop="' in line]
    assert len(kept) == 31
    assert len([line for line in kept if 'shop="shop-003"' in line]) == 21
    assert len([line for line in kept if 'shop="shop-001"' in line]) == 10
    assert _value(registry, "streamwatch_series_dropped") == 26
    assert _value(registry, "streamwatch_series_limit") == 32


def test_long_names_are_cut_and_stay_apart(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    shops = ["s" * 300, "s" * 301]
    _judged(metrics, *[_verdict(KpiKey(shop, "purchase", "volume")) for shop in shops])
    told = {
        sample.labels["shop"]
        for family in _families(registry)
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
    verdicts = [msgspec.structs.replace(_verdict(key), value=value) for key in keys]
    _judged(metrics, *verdicts)
    samples = [one for family in _families(registry) for one in family.samples]
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
        verdicts = [_verdict(key, (20_000 + day) * DAY) for key in keys]
        _judged(metrics, *[msgspec.structs.replace(one, value=float(day)) for one in verdicts])
    done.set()
    thread.join()
    assert all(len(values) == 1 for values in seen)
    last = _value(registry, "streamwatch_volume_events", **_labels(keys[0]))
    assert last == 29


def test_readiness_and_the_database_are_told(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    metrics.ready(True)
    metrics.database_up(True)
    assert metrics.is_ready
    assert _value(registry, "streamwatch_ready") == 1
    assert _value(registry, "streamwatch_database_up") == 1
    metrics.database_up(False)
    assert _value(registry, "streamwatch_database_up") == 0


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
    assert _value(registry, f"{slices}_bucket", step="count", le="0.0025") == 0
    assert _value(registry, f"{slices}_bucket", step="count", le="0.005") == 1
    assert _value(registry, "streamwatch_slices_waiting", topic="purchase") == 3
    assert _value(registry, "streamwatch_partitions_loading") == 5
    assert _value(registry, "streamwatch_heartbeat_timestamp_seconds") == 1_700_000_000
    tap = {"event_type": "purchase", "stage": "normalise", "tap": "purchases"}
    assert _value(registry, "streamwatch_tap_rows_shed_total", **tap) == 7
    assert _value(registry, "streamwatch_webhook_posts_total", outcome="failed") == 1
    assert _value(registry, "streamwatch_webhook_posts_total", outcome="delivered") == 0


def test_what_is_left_out_now_is_told_once_there_is_room() -> None:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"), max_series=10)
    keys = [KpiKey(shop, "purchase", "volume") for shop in ("shop-001", "shop-002")]
    for number, key in enumerate(keys):
        place = PartitionId("judge", "streamwatch.readings", number)
        _judged(metrics, _verdict(key), partition=place)
    assert _value(registry, "streamwatch_kpi_unusual", **_labels(keys[1])) is None
    assert _value(registry, "streamwatch_series_dropped") == 10
    metrics.forget(PartitionId("judge", "streamwatch.readings", 0))
    assert _value(registry, "streamwatch_kpi_unusual", **_labels(keys[1])) == 0
    assert _value(registry, "streamwatch_series_dropped") == 0


def test_deadlines_are_told_within_the_budget_and_go_with_the_partitions() -> None:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"), max_series=2)
    due = {("shop-003", "return"): 3_000, ("shop-001", "purchase"): 1_000}
    gauge = "streamwatch_next_expected_timestamp_seconds"
    metrics.expected(due | {("shop-002", "return"): 9_000})
    assert _value(registry, gauge, shop="shop-001", event_type="purchase") == 1
    assert _value(registry, gauge, shop="shop-003", event_type="return") == 3
    assert _value(registry, gauge, shop="shop-002", event_type="return") is None
    assert _value(registry, "streamwatch_series_dropped") == 1
    metrics.forget_all()
    assert not _lines(registry, gauge)


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
    _judged(metrics, _verdict(key))
    told = _value(registry, gauge, **_labels(key))
    assert told == pytest.approx(value)
