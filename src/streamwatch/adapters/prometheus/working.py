"""The worker's own work: slices, what waits, heartbeats, taps that shed, posts to the webhook."""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from streamwatch.adapters.prometheus.durations import Durations
from streamwatch.adapters.prometheus.labels import short

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the time of a slice, seconds."""

OUTCOMES = ("delivered", "failed", "refused")
"""What can become of a post to the webhook: ``failed`` is tried again, ``refused`` is not."""


class Working:
    """What is counted besides flushes and partitions.

    Attributes:
        slices: how long slices took.
        waiting: topic → slices that were fetched and not yet taken in.
        loading: partitions that were assigned and whose state is not loaded yet.
        heartbeat_ms: when the last heartbeats were published; 0 before the first.
        shed: event type, stage and tap → rows that were left out.
        withheld: tap → events beyond its rate or budget.
        taps: version of the taps in use, when they were loaded, whether the folder is right.
        posts: outcome → posts to the webhook.
    """

    def __init__(self) -> None:
        self.slices = Durations(
            "streamwatch_slice_duration_seconds", "Time that a step took for one slice.", BUCKETS
        )
        self.waiting: Mapping[str, int] = {}
        self.loading = 0
        self.heartbeat_ms = 0
        self.shed: Counter[tuple[str, str, str]] = Counter()
        self.withheld: Counter[str] = Counter()
        self.taps: tuple[str, int, bool] = ("", 0, True)
        self.posts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))

    def metrics(self) -> Iterator[Metric]:
        """All of them."""
        yield self.slices.metric()
        waiting = GaugeMetricFamily(
            "streamwatch_slices_waiting",
            "Slices that were fetched and not yet taken in.",
            labels=("topic",),
        )
        for topic, slices in sorted(self.waiting.items()):
            waiting.add_metric([short(topic)], slices)
        yield waiting
        yield GaugeMetricFamily(
            "streamwatch_partitions_loading",
            "Partitions that were assigned and whose state is not loaded yet.",
            value=self.loading,
        )
        heartbeat = GaugeMetricFamily(
            "streamwatch_heartbeat_timestamp_seconds", "When the last heartbeats were published."
        )
        if self.heartbeat_ms:
            heartbeat.add_metric([], self.heartbeat_ms / 1000)
        yield heartbeat
        shed = CounterMetricFamily(
            "streamwatch_tap_rows_shed",
            "Rows that taps left out, since the database was slow.",
            labels=("event_type", "stage", "tap"),
        )
        for place, rows in sorted(self.shed.items()):
            shed.add_metric([short(part) for part in place], rows)
        yield shed
        withheld = CounterMetricFamily(
            "streamwatch_tap_events_withheld",
            "Events that taps left out, since their rate or budget of the shop was used up.",
            labels=("tap",),
        )
        for tap, events in sorted(self.withheld.items()):
            withheld.add_metric([short(tap)], events)
        yield withheld
        _, loaded_ms, right = self.taps
        yield GaugeMetricFamily(
            "streamwatch_taps_right",
            "1 while the files of the tap folder are used, 0 while they are wrong.",
            value=right,
        )
        loaded = GaugeMetricFamily(
            "streamwatch_taps_loaded_timestamp_seconds", "When the taps in use were loaded."
        )
        if loaded_ms:
            loaded.add_metric([], loaded_ms / 1000)
        yield loaded
        posts = CounterMetricFamily(
            "streamwatch_webhook_posts",
            "Posts of incidents to the webhook, by what became of them.",
            labels=("outcome",),
        )
        for outcome, count in sorted(self.posts.items()):
            posts.add_metric([outcome], count)
        yield posts
