"""What one worker was told, and what its /metrics say of it; for the tests beside this."""

from collections.abc import Iterable, Sequence

import msgspec
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streamwatch.adapters.prometheus.collector import WorkerMetrics
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


def verdict_of(key: KpiKey = VOLUME, bucket: int = 20_000 * DAY) -> Verdict:
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


def incident_of(
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


def flush_of(partition: PartitionId, rows: Sequence[Row], values: int = 0) -> Flush:
    changes = {f"shop/{number}": b"\x01" for number in range(values)}
    return Flush(partition, 0, 10, 0, "", changes, rows, None)


def judge(metrics: WorkerMetrics, *verdicts: Verdict, partition: PartitionId = JUDGE) -> None:
    metrics.committed(flush_of(partition, [VerdictRow(one) for one in verdicts]), 0.01)


def tell(metrics: WorkerMetrics, *incidents: Incident) -> None:
    metrics.committed(flush_of(FLEET, [IncidentRow(one) for one in incidents]), 0.01)


def status_of(partition: PartitionId, accounting: Accounting | None = None) -> PartitionStatus:
    return PartitionStatus(
        partition=partition,
        fence=40,
        epoch=1,
        end_offset=45,
        accounting=accounting or Accounting(),
        clock_ms=1_700_000_000_500,
        unflushed=2,
    )


def text_of(registry: CollectorRegistry) -> str:
    return render(registry, generate_latest).decode()


def lines_of(registry: CollectorRegistry, start: str) -> list[str]:
    return [line for line in text_of(registry).splitlines() if line.startswith(start)]


def value_of(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def labels_of(key: KpiKey = VOLUME, **more: str) -> dict[str, str]:
    return {**msgspec.structs.asdict(key), **more}


def families_of(registry: CollectorRegistry) -> list[Metric]:
    return list(text_string_to_metric_families(text_of(registry)))


def samples_of(families: Iterable[Metric]) -> set[tuple[str, tuple[tuple[str, str], ...], float]]:
    return {
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in families
        for sample in family.samples
    }


def tap_row(offset: int) -> TapRow:
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


def reject_row(reason: str) -> RejectRow:
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
