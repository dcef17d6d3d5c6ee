"""What a run over the past said: how much was judged, and which incidents were opened when."""

from collections.abc import Iterable

import msgspec

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow, Row, VerdictRow
from streamwatch.runner.ports import Flush, Stored

NOTHING_STORED = Stored(fence=None, epoch=0, topic_id="", states={}, accounting=None)

MONTH_MS = 30.4375 * DAY_MS
SPAN_MS = {"hour": HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS, "month": round(MONTH_MS)}

_JUDGED = {"usual": 0, "unusual": 1}


class Opened(msgspec.Struct, frozen=True):
    """An incident as it stood at the end.

    Attributes:
        opened_at: the judge's clock when it was first told.
        is_covered: it was part of another one when it was first told, so that nobody was
            alarmed for it.
    """

    incident: Incident
    opened_at: int
    is_covered: bool = False


class Record:
    """Gathers verdicts and incidents from a run's rows; all other rows are let go.

    Attributes:
        verdicts: of each KPI the judged buckets: 1 unusual, 0 usual. Warming ones lack.
        volumes: of each shop the events a day of each event type and bucket.
        incidents: by their id.
    """

    def __init__(self) -> None:
        self.verdicts: dict[KpiKey, dict[int, int]] = {}
        self.volumes: dict[str, dict[tuple[str, int], float]] = {}
        self.incidents: dict[str, Opened] = {}

    def take(self, rows: Iterable[Row]) -> None:
        """Take a flush's rows in; later revisions replace earlier ones."""
        new: set[str] = set()
        for row in rows:
            if isinstance(row, VerdictRow):
                verdict = row.verdict
                key = verdict.key
                judged = _JUDGED.get(verdict.state)
                buckets = self.verdicts.setdefault(key, {})
                if judged is None:
                    buckets.pop(verdict.bucket, None)
                else:
                    buckets[verdict.bucket] = judged
                if key.kpi == "volume" and key.segment == ALL and key.span != "hour":
                    volumes = self.volumes.setdefault(key.shop, {})
                    a_day = verdict.value * DAY_MS / span_ms(key)
                    volumes[key.event_type, verdict.bucket] = a_day
            elif isinstance(row, IncidentRow):
                incident = row.incident
                known = self.incidents.get(incident.id)
                if known is None:
                    new.add(incident.id)
                    known = Opened(incident, incident.updated_at)
                covered = bool(incident.part_of) if incident.id in new else known.is_covered
                self.incidents[incident.id] = Opened(incident, known.opened_at, covered)

    def months(self, key: KpiKey) -> float:
        """How long a KPI was judged, in months."""
        return len(self.verdicts.get(key, ())) * span_ms(key) / MONTH_MS

    def events_a_day(self, shop: str) -> float:
        """The shop's mean number of events a day, over all event types."""
        volumes = self.volumes.get(shop)
        if not volumes:
            return 0.0
        return sum(volumes.values()) / len({bucket for _, bucket in volumes})


def span_ms(key: KpiKey) -> int:
    """The length of a KPI's buckets, milliseconds."""
    return SPAN_MS.get(key.span, DAY_MS)


class RecordStore:
    """A `runner.ports.Store` that keeps nothing but what the `Record` takes."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def load(self, partition: PartitionId) -> Stored:  # noqa: ARG002
        """Nothing is stored: every run begins anew."""
        return NOTHING_STORED

    def commit(self, flush: Flush) -> None:
        """Let the record take the rows; state and fence are let go."""
        self._record.take(flush.rows)
