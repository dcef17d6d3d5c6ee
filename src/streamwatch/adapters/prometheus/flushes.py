"""What this process has written since it started, counted at each committed flush."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from streamwatch.adapters.prometheus.durations import Durations
from streamwatch.adapters.prometheus.labels import short
from streamwatch.domain.rows import (
    DistributionRow,
    GroupRow,
    IncidentRow,
    RejectRow,
    Row,
    StageRow,
    TapRow,
    TapRows,
    VerdictRow,
)
from streamwatch.runner.ports import Flush

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the flush durations, seconds."""

MOST_REASONS = 1_000
"""Kinds of rejects that are counted apart; the reason of any further one is ``other``."""

ROW_KINDS: dict[type[Row], str] = {
    TapRow: "tap",
    TapRows: "tap",
    RejectRow: "reject",
    StageRow: "stage",
    VerdictRow: "verdict",
    IncidentRow: "incident",
    GroupRow: "group",
    DistributionRow: "distribution",
}

Labels = tuple[str, ...]


class FlushCounts:
    """Counters over all flushes; they only grow, whoever owns the partitions."""

    def __init__(self) -> None:
        self._rows: Counter[Labels] = Counter()
        self._taps: Counter[Labels] = Counter()
        self._rejects: Counter[Labels] = Counter()
        self._values: Counter[Labels] = Counter()
        self._messages: Counter[Labels] = Counter()
        self._durations = Durations(
            "streamwatch_flush_duration_seconds",
            "Time that the database took for one flush.",
            BUCKETS,
        )

    def add(self, flush: Flush, seconds: float, messages: int) -> None:
        """Count one committed flush."""
        step = flush.partition.step
        for row in flush.rows:
            number = len(row) if isinstance(row, TapRows) else 1
            self._rows[step, ROW_KINDS[type(row)]] += number
            if isinstance(row, TapRow | TapRows):
                self._taps[row.event_type, row.stage, row.tap] += number
            elif isinstance(row, RejectRow):
                self._rejects[self._reject(row)] += 1
        self._values[(step,)] += len(flush.changes)
        self._messages[(step,)] += messages
        self._durations.add(step, seconds)

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
        yield self._durations.metric()

    def _reject(self, row: RejectRow) -> Labels:
        labels = (row.topic, row.kind, row.stage, row.reason, row.field)
        if labels in self._rejects or len(self._rejects) < MOST_REASONS:
            return labels
        return (row.topic, row.kind, row.stage, "other", "")


def _family(name: str, words: str, labels: Labels, counts: Counter[Labels]) -> Metric:
    family = CounterMetricFamily(name, words, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric([short(value) for value in values], count)
    return family
