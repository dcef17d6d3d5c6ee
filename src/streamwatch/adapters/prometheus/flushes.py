"""What this process has written since it started, counted at each committed flush."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

import msgspec
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from streamwatch.adapters.prometheus.labels import short
from streamwatch.domain.rows import IncidentRow, RejectRow, Row, StageRow, TapRow, VerdictRow
from streamwatch.runner.ports import Flush

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the flush durations, seconds."""

MOST_REASONS = 1_000
"""Kinds of rejects that are counted apart; the reason of any further one is ``other``."""

ROW_KINDS: dict[type[Row], str] = {
    TapRow: "tap",
    RejectRow: "reject",
    StageRow: "stage",
    VerdictRow: "verdict",
    IncidentRow: "incident",
}

Labels = tuple[str, ...]


class _Durations(msgspec.Struct):
    """A histogram: the number of flushes under each bound and above the last, and their sum."""

    counts: list[int]
    total: float = 0.0


class FlushCounts:
    """Counters over all flushes; they only grow, whoever owns the partitions."""

    def __init__(self) -> None:
        self._rows: Counter[Labels] = Counter()
        self._taps: Counter[Labels] = Counter()
        self._rejects: Counter[Labels] = Counter()
        self._values: Counter[Labels] = Counter()
        self._messages: Counter[Labels] = Counter()
        self._durations: dict[str, _Durations] = {}

    def add(self, flush: Flush, seconds: float, messages: int) -> None:
        """Count one committed flush."""
        step = flush.partition.step
        for row in flush.rows:
            self._rows[step, ROW_KINDS[type(row)]] += 1
            if isinstance(row, TapRow):
                self._taps[row.event_type, row.stage, row.tap] += 1
            elif isinstance(row, RejectRow):
                self._rejects[self._reject(row)] += 1
        self._values[(step,)] += len(flush.changes)
        self._messages[(step,)] += messages
        durations = self._durations.get(step)
        if durations is None:
            durations = self._durations[step] = _Durations([0] * (len(BUCKETS) + 1))
        durations.counts[bisect_left(BUCKETS, seconds)] += 1
        durations.total += seconds

    def metrics(self) -> Iterator[Metric]:
        """The counters as metrics."""
        yield _family(
            "streamwatch_rows_written",
            "Rows written for people, by kind.",
            ("step", "kind"),
            self._rows,
        )
        yield _family(
            "streamwatch_tap_rows_written",
            "Rows written by taps.",
            ("event_type", "stage", "tap"),
            self._taps,
        )
        yield _family(
            "streamwatch_rejects",
            "Records refused, by stage and reason; kind is reject or dead-letter.",
            ("topic", "kind", "stage", "reason", "field"),
            self._rejects,
        )
        yield _family(
            "streamwatch_state_values_written", "State values written.", ("step",), self._values
        )
        yield _family(
            "streamwatch_messages_published",
            "Messages published after flushes.",
            ("step",),
            self._messages,
        )
        yield self._histogram()

    def _reject(self, row: RejectRow) -> Labels:
        labels = (row.topic, row.kind, row.stage, row.reason, row.field)
        if labels in self._rejects or len(self._rejects) < MOST_REASONS:
            return labels
        return (row.topic, row.kind, row.stage, "other", "")

    def _histogram(self) -> Metric:
        family = HistogramMetricFamily(
            "streamwatch_flush_duration_seconds",
            "Time that the database took for one flush.",
            labels=("step",),
        )
        bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
        for step, durations in sorted(self._durations.items()):
            below = 0
            cumulative: list[tuple[str, float]] = []
            for bound, count in zip(bounds, durations.counts, strict=True):
                below += count
                cumulative.append((bound, below))
            family.add_metric([step], cumulative, durations.total)
        return family


def _family(name: str, words: str, labels: Labels, counts: Counter[Labels]) -> Metric:
    family = CounterMetricFamily(name, words, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric([short(value) for value in values], count)
    return family
