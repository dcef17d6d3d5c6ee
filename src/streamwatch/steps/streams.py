"""A stream: what the judge holds of one shop's events of one type."""

from datetime import tzinfo

import msgspec

from streamwatch.baselines.judging import Baseline
from streamwatch.baselines.silence import Cadence
from streamwatch.diagnosis.diagnose import Normals
from streamwatch.domain.cells import DAY_MS, HOUR_MS
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import Verdict
from streamwatch.steps import partials
from streamwatch.steps.calendar import hour_end, next_day
from streamwatch.steps.partials import Hour
from streamwatch.steps.patience import LateDay, patience

KEPT_MS = 8 * DAY_MS
"""How long after its end a closed day can still be judged again."""


class Learned(msgspec.Struct):
    """What a stream has learned; stored with its shop.

    Attributes:
        first_day: the first local day seen, which may be only a part of a day.
        next_day, next_hour: the next bucket to close; ``next_hour`` is ``None`` while the
            shop sends too little to be judged by the hour.
        baselines: by `kpi_name`.
        segments: those whose volume is judged.
        judged_days, judged_hours: bucket → how often it was judged, for `KEPT_MS`.
        stale_days, stale_hours: closed buckets that late records changed → when to judge again.
        late: what came after the end of its day.
        unusual: the newest verdict of each KPI that is unusual now.
        reasons: KPIs of single reasons of rejects and rules that mark, seen so far.
        cadence: how the shop's records arrive.
        normals: what is usual at every stage, by feature; see `diagnosis.normal`.
    """

    first_day: int
    next_day: int
    next_hour: int | None = None
    baselines: dict[str, Baseline] = {}
    segments: set[str] = set()
    judged_days: dict[int, int] = {}
    judged_hours: dict[int, int] = {}
    stale_days: dict[int, int] = {}
    stale_hours: dict[int, int] = {}
    late: dict[int, LateDay] = {}
    unusual: dict[str, Verdict] = {}
    normals: Normals = {}
    reasons: set[str] = set()
    cadence: Cadence = Cadence()


class OpenDays(msgspec.Struct):
    """What the tests on days that are not closed yet have found; stored apart, for it is small.

    Attributes:
        versions: day → verdicts told before its end.
        sums: KPI → the sum of a sequential test.
        told: KPI → the day for which it was told.
    """

    versions: dict[int, int] = {}
    sums: dict[str, float] = {}
    told: dict[str, int] = {}


class Stream(msgspec.Struct):
    """A shop's events of one type.

    Attributes:
        zone: the shop's time zone.
        days: local day → hour → the newest partials.
        open: see `OpenDays`.
        scheduled: the moment at which something is due, as it stands in the agenda; -1 for
            none.
    """

    shop: str
    event_type: str
    zone: tzinfo
    learned: Learned
    days: dict[int, dict[int, Hour]] = {}
    open: OpenDays = msgspec.field(default_factory=OpenDays)
    scheduled: int = -1


HOUR, DAY, SILENCE = 0, 1, 2


class Task(msgspec.Struct, frozen=True, order=True):
    """What is to be judged; earlier ones first, an hour before the day that ends with it.

    Attributes:
        due: when.
        kind: `HOUR`, `DAY` or `SILENCE`.
        bucket: which; for a silence the moment at which it is told.
    """

    due: int
    kind: int
    bucket: int


def kpi_name(key: KpiKey) -> str:
    """A KPI's name within its stream."""
    return f"{key.span}|{key.kpi}|{key.segment}"


def next_task(stream: Stream, lateness: int) -> Task:
    """What is due next: a day or hour to close, or one to judge again."""
    learned = stream.learned
    waited = patience(learned.late, lateness)
    end = next_day(learned.next_day, stream.zone)
    tasks = [Task(end + waited, DAY, learned.next_day)]
    if learned.next_hour is not None:
        due = hour_end(learned.next_hour) + lateness
        tasks.append(Task(due, HOUR, learned.next_hour))
    tasks += [Task(due, DAY, day) for day, due in learned.stale_days.items()]
    tasks += [Task(due, HOUR, hour) for hour, due in learned.stale_hours.items()]
    if learned.cadence.due:
        tasks.append(Task(learned.cadence.due, SILENCE, learned.cadence.due))
    return min(tasks)


def records_of_hour(stream: Stream, day: int, hour: int) -> int:
    """Records counted for an hour of a day."""
    hours = stream.days.get(day, {})
    return partials.count(hours[start] for start in hours if hour <= start < hour + HOUR_MS)


def first_hour_at(moment: int) -> int:
    """The first whole hour at or after a moment."""
    return -(-moment // HOUR_MS) * HOUR_MS
