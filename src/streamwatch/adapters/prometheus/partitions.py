"""Where each owned partition stands: accounting, fence, lag and clock."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from streamwatch.adapters.prometheus.labels import short
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.records import PartitionId

ACCOUNTED_STEP = "count"
"""The step whose records are counted; the others read streamwatch's own topics."""

_SOURCE = ("topic", "partition")
_PLACE = ("step", "topic", "partition")


class PartitionStatus(msgspec.Struct, frozen=True):
    """One owned partition at one moment.

    Attributes:
        partition: which partition of which step.
        fence: the next offset that the database does not yet include.
        epoch: counts how often the topic was deleted and made anew.
        end_offset: end of the partition's log, ``None`` when it is not known.
        accounting: where the records went; told for COUNT only.
        clock_ms: arrival time up to which the partition is read, milliseconds; 0 if unknown.
        unflushed: records taken in since the last flush.
    """

    partition: PartitionId
    fence: int
    epoch: int
    end_offset: int | None
    accounting: Accounting
    clock_ms: int
    unflushed: int


def copied(statuses: Iterable[PartitionStatus]) -> tuple[PartitionStatus, ...]:
    """The statuses with copies of the accounting, which the runner goes on to change."""
    return tuple(
        msgspec.structs.replace(one, accounting=msgspec.structs.replace(one.accounting))
        for one in sorted(statuses, key=_place)
    )


def partition_metrics(statuses: Sequence[PartitionStatus]) -> Iterator[Metric]:
    """The metrics of the owned partitions."""
    if statuses:
        yield from _accounting([one for one in statuses if one.partition.step == ACCOUNTED_STEP])
        yield from _progress(statuses)


def _accounting(statuses: Iterable[PartitionStatus]) -> Sequence[Metric]:
    records_in = CounterMetricFamily(
        "streamwatch_records_in",
        "Records delivered, those among them that came again included.",
        labels=_SOURCE,
    )
    records = CounterMetricFamily(
        "streamwatch_records",
        "Records by what became of them; over all outcomes they add up to the records in.",
        labels=(*_SOURCE, "outcome"),
    )
    gaps = CounterMetricFamily(
        "streamwatch_gaps", "Offsets that the broker does not have.", labels=_SOURCE
    )
    passed = CounterMetricFamily(
        "streamwatch_offsets_passed",
        "Offsets passed since the first one: records in, less duplicates, plus gaps.",
        labels=_SOURCE,
    )
    balanced = GaugeMetricFamily(
        "streamwatch_accounting_balanced",
        "1 when every record is accounted for and every offset passed, else 0.",
        labels=_SOURCE,
    )
    for one in statuses:
        labels, counts = _labels(one)[1:], one.accounting
        records_in.add_metric(labels, counts.records_in)
        records.add_metric([*labels, "aggregated"], counts.aggregated)
        records.add_metric([*labels, "rejected"], counts.rejected)
        records.add_metric([*labels, "dead_lettered"], counts.dead_lettered)
        records.add_metric([*labels, "duplicate"], counts.duplicates)
        gaps.add_metric(labels, counts.gaps)
        passed.add_metric(labels, counts.next_offset - counts.first_offset)
        balanced.add_metric(labels, 1 if counts.adds_up else 0)
    return records_in, records, gaps, passed, balanced


def _progress(statuses: Iterable[PartitionStatus]) -> Sequence[Metric]:
    fence = GaugeMetricFamily(
        "streamwatch_fence_offset",
        "The next offset that the database does not yet include.",
        labels=_PLACE,
    )
    epoch = GaugeMetricFamily(
        "streamwatch_partition_epoch",
        "How often the topic was deleted and made anew.",
        labels=_PLACE,
    )
    unflushed = GaugeMetricFamily(
        "streamwatch_unflushed_records", "Records taken in since the last flush.", labels=_PLACE
    )
    lag = GaugeMetricFamily(
        "streamwatch_consumer_lag_records",
        "Records in the partition that the database does not yet include.",
        labels=_PLACE,
    )
    clock = GaugeMetricFamily(
        "streamwatch_partition_clock_timestamp_seconds",
        "Arrival time up to which the partition is read.",
        labels=_PLACE,
    )
    for one in statuses:
        labels = _labels(one)
        fence.add_metric(labels, one.fence)
        epoch.add_metric(labels, one.epoch)
        unflushed.add_metric(labels, one.unflushed)
        if one.end_offset is not None:
            lag.add_metric(labels, max(0, one.end_offset - one.fence))
        if one.clock_ms:
            clock.add_metric(labels, one.clock_ms / 1000)
    return fence, epoch, unflushed, lag, clock


def _labels(status: PartitionStatus) -> list[str]:
    place = status.partition
    return [place.step, short(place.topic), str(place.partition)]


def _place(status: PartitionStatus) -> PartitionId:
    return status.partition
