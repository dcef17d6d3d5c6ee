"""The metrics of a worker: fed from its event loop, read by the threads that scrape."""

import platform
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata

import msgspec
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

from streamwatch import __version__
from streamwatch.adapters.prometheus.flushes import FlushCounts
from streamwatch.adapters.prometheus.kpis import Kpis, KpiSeries
from streamwatch.adapters.prometheus.partitions import (
    PartitionStatus,
    copied,
    partition_metrics,
)
from streamwatch.adapters.prometheus.working import Working
from streamwatch.domain.incidents import Incident
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow, VerdictRow
from streamwatch.domain.verdicts import Verdict
from streamwatch.runner.ports import Flush

MAX_SERIES = 100_000
"""Series of KPIs and incidents that one worker exports."""

MIN_GROUP = 10
"""People from whom on the mean of a body measure is told."""


class Build(msgspec.Struct, frozen=True):
    """The versions that run."""

    version: str
    python: str
    faust: str


def installed_build() -> Build:
    """The installed versions."""
    return Build(
        version=__version__,
        python=platform.python_version(),
        faust=metadata.version("faust-streaming"),
    )


class WorkerMetrics:
    """A collector of `prometheus_client` that holds the newest state of one worker.

    All methods but `collect` are called from the worker's event loop and are short; `collect`
    is called from any thread. Nothing that names a person or holds a field of a record gets in.

    Args:
        registry: where it is registered.
        build: the versions that run.
        max_series: budget of the series of KPIs and incidents; what does not fit is counted.
        min_group: people from whom on the mean of a body measure is told.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        build: Build,
        max_series: int = MAX_SERIES,
        min_group: int = MIN_GROUP,
    ) -> None:
        self._build = build
        self._max_series = max_series
        self._lock = threading.Lock()
        self._kpis = Kpis()
        self._flushes = FlushCounts()
        self._working = Working()
        self._deadlines: dict[tuple[str, str], int] = {}
        self._statuses: tuple[PartitionStatus, ...] = ()
        self._database_up = False
        self._ready = False
        # Rendering takes long after many shops changed, so it has a lock of its own, for which
        # the event loop never waits.
        self._rendering = threading.Lock()
        self._series = KpiSeries(max_series, min_group)
        self._dropped = 0
        registry.register(self)

    @property
    def is_ready(self) -> bool:
        """What `ready` was last told."""
        return self._ready

    def committed(self, flush: Flush, seconds: float, messages: int = 0) -> None:
        """A flush is in the database: take its verdicts and incidents, and count it.

        Args:
            flush: what was written.
            seconds: how long the database took.
            messages: how many messages follow it.
        """
        with self._lock:
            self._flushes.add(flush, seconds, messages)
            for row in flush.rows:
                if isinstance(row, VerdictRow):
                    self._kpis.take_verdict(flush.partition, row.verdict)
                elif isinstance(row, IncidentRow):
                    self._kpis.take_incident(flush.partition, row.incident)

    def observed(self, statuses: Sequence[PartitionStatus]) -> None:
        """Where all owned partitions stand; those that are not named are no longer told."""
        snapshot = copied(statuses)
        with self._lock:
            self._statuses = snapshot

    def restored(
        self, verdicts: Iterable[Verdict], incidents: Iterable[Incident], partition: PartitionId
    ) -> None:
        """A partition was assigned: what is stored of it replaces what is known of it."""
        with self._lock:
            self._kpis.forget(partition)
            for verdict in verdicts:
                self._kpis.take_verdict(partition, verdict)
            for incident in incidents:
                self._kpis.take_incident(partition, incident)

    def forget(self, partition: PartitionId) -> None:
        """A partition was revoked: all its series go."""
        with self._lock:
            self._kpis.forget(partition)
            self._statuses = tuple(one for one in self._statuses if one.partition != partition)

    def forget_all(self) -> None:
        """All partitions were revoked: all their series go."""
        with self._lock:
            self._kpis.forget_all()
            self._statuses = ()
            self._deadlines = {}

    def taken(self, step: str, seconds: float) -> None:
        """A step took a slice in, in so many seconds."""
        with self._lock:
            self._working.slices.add(step, seconds)

    def waiting(self, slices: Mapping[str, int]) -> None:
        """Topic → slices that were fetched and not yet taken in."""
        self._working.waiting = dict(slices)

    def loading(self, partitions: int) -> None:
        """So many assigned partitions are not loaded yet."""
        self._working.loading = partitions

    def heartbeat(self, now_ms: int) -> None:
        """The heartbeats were published."""
        self._working.heartbeat_ms = now_ms

    def shed(self, event_type: str, stage: str, tap: str, rows: int) -> None:
        """A tap left rows out, since the database was slow."""
        with self._lock:
            self._working.shed[event_type, stage, tap] += rows

    def taps(self, version: str, loaded_ms: int, *, right: bool) -> None:
        """Which taps are used since when, and whether those in the folder are right."""
        self._working.taps = (version, loaded_ms, right)

    def withheld(self, tap: str, events: int) -> None:
        """A tap left events out, since its rate or budget was used up."""
        with self._lock:
            self._working.withheld[tap] += events

    def posted(self, outcome: str) -> None:
        """A post to the webhook: ``delivered``, ``failed`` or ``refused``; from any thread."""
        with self._lock:
            self._working.posts[outcome] += 1

    def expected(self, deadlines: Mapping[tuple[str, str], int]) -> None:
        """Shop and event type → by when its next record must arrive, milliseconds."""
        with self._lock:
            self._deadlines = dict(deadlines)

    def database_up(self, up: bool) -> None:
        """Whether the database answered the last time."""
        self._database_up = up

    def ready(self, ready: bool) -> None:
        """Whether partitions are assigned and loaded."""
        self._ready = ready

    def collect(self) -> Iterator[Metric]:
        """All metrics as they stand now."""
        with self._lock:
            statuses, due = self._statuses, self._deadlines
            families = [*self._flushes.metrics(), *self._working.metrics()]
        with self._rendering:
            self._render_changed()
            families += self._series.gauges(due)
            dropped, open_incidents = self._series.dropped, self._series.open_incidents
            self._dropped += dropped
            dropped_ever = self._dropped
        yield from families
        yield from partition_metrics(statuses)
        yield _gauge("incidents_open", "Open incidents that this worker knows.", open_incidents)
        yield _gauge("series_limit", "Budget of KPI and incident series.", self._max_series)
        yield _gauge("series_over_budget", "KPI and incident series over the budget.", dropped)
        yield CounterMetricFamily(
            "streamwatch_series_dropped",
            "KPI and incident series left out of scrapes, each scrape counted.",
            value=dropped_ever,
        )
        yield _gauge("database_up", "1 while the database answers, else 0.", self._database_up)
        yield _gauge("ready", "1 while partitions are assigned and loaded, else 0.", self._ready)
        yield InfoMetricFamily(
            "streamwatch_build", "The versions that run.", msgspec.structs.asdict(self._build)
        )

    def _render_changed(self) -> None:
        """Render the shops that changed; the lock is held for one shop at a time."""
        with self._lock:
            names = self._kpis.take_changed()
        for name in names:
            with self._lock:
                verdicts, incidents = self._kpis.of_shop(name)
            self._series.update(name, verdicts, incidents)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"streamwatch_{name}", words, value=value)
