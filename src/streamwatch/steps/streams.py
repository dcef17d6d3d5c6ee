"""A stream: what the judge holds of one shop's events of one type."""

from datetime import tzinfo

import msgspec

from streamwatch.baselines.judging import Baseline
from streamwatch.baselines.silence import FILE_MARGIN, Cadence
from streamwatch.diagnosis.diagnose import Normals
from streamwatch.domain.cells import DAY_MS, HOUR_MS
from streamwatch.domain.readings import KpiKey, Place, Span
from streamwatch.domain.verdicts import Verdict
from streamwatch.steps import partials
from streamwatch.steps.calendar import (
    day_slot,
    days_from,
    days_of_month,
    hour_end,
    hour_slot,
    month_start,
    next_day,
    week_start,
)
from streamwatch.steps.partials import Hour
from streamwatch.steps.patience import LateDay, patience
from streamwatch.steps.remembered import Usual

KEPT_MS = 8 * DAY_MS
"""How long after its end a closed day, week or month can still be judged again."""


class Period(msgspec.Struct, frozen=True, array_like=True):
    """The weeks or months by which a stream is judged, as its files cover them.

    Attributes:
        begins: the weekday on which weeks begin, 0 Monday; of months the day, 1 to 28.
        wait: how long after its end a week or month is closed, milliseconds.
        span: ``week`` or ``month``.
    """

    begins: int
    wait: int
    span: Span = "week"

    @property
    def longest(self) -> int:
        """Milliseconds that one lasts at most."""
        return (7 if self.span == "week" else 31) * DAY_MS


class Learned(msgspec.Struct):
    """What a stream has learned; stored with its shop.

    Attributes:
        first_day: the first local day seen, which may be only a part of a day.
        next_day, next_hour: the next bucket to close, a week or month by its first day;
            ``next_hour`` is ``None`` while the shop sends too little to be judged by the hour.
        baselines: by `kpi_name`.
        segments: those whose volume is judged.
        judged_days, judged_hours: bucket → how often it was judged, for `KEPT_MS`; each day
            of a judged week or month is a judged day.
        stale_days, stale_hours: closed buckets that late records changed → when to judge again.
        late: what came after the end of its day.
        unusual: the newest verdict of each KPI that is unusual now.
        usual: of every other KPI the numbers of its newest verdict.
        reasons: KPIs of single reasons of rejects and rules that mark, seen so far.
        cadence: how the shop's records arrive.
        normals: what is usual at every stage, by feature; see `diagnosis.normal`.
        period: by which weeks or months it is judged instead of by days; ``None`` for most.
        paces: judged day or week → records in parts of those expected, where these differ much.
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
    usual: dict[str, Usual] = {}
    normals: Normals = {}
    reasons: set[str] = set()
    cadence: Cadence = Cadence()
    period: Period | None = msgspec.field(default=None, name="week")
    paces: dict[int, float] = {}

    @property
    def begins(self) -> tuple[Span, int]:
        """When its buckets begin; two streams of the same have the same buckets."""
        return self.span, self.period.begins if self.period else 0

    @property
    def span(self) -> Span:
        """The bucket's length, for all that is not judged by the hour."""
        return self.period.span if self.period else "day"


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
        kind: `HOUR`, `DAY` (or a week) or `SILENCE`.
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
    tasks = [Task(_closing_time(stream, lateness), DAY, learned.next_day)]
    if learned.next_hour is not None:
        due = hour_end(learned.next_hour) + lateness
        tasks.append(Task(due, HOUR, learned.next_hour))
    tasks += [Task(due, DAY, day) for day, due in learned.stale_days.items()]
    tasks += [Task(due, HOUR, hour) for hour, due in learned.stale_hours.items()]
    if learned.cadence.due:
        tasks.append(Task(learned.cadence.due, SILENCE, learned.cadence.due))
    return min(tasks)


def _closing_time(stream: Stream, lateness: int) -> int:
    """When the next day or week is closed."""
    learned = stream.learned
    if learned.period is None:
        return next_day(learned.next_day, stream.zone) + patience(learned.late, lateness)
    days = days_of(stream, learned.next_day)
    end = next_day(days[-1], stream.zone)
    came = any(
        part.last >= end
        for day in days
        for parts in stream.days.get(day, {}).values()
        for part in parts.values()
    )
    margin = 0 if came else round(FILE_MARGIN * learned.period.longest)
    return end + learned.period.wait + margin


def bucket_of_day(stream: Stream, day: int) -> int:
    """The bucket that a local day belongs to: itself, or its week or month."""
    period = stream.learned.period
    if period is None:
        return day
    start = week_start if period.span == "week" else month_start
    return start(day, period.begins, stream.zone)


def days_of(stream: Stream, bucket: int) -> list[int]:
    """The local days of a bucket."""
    if stream.learned.span == "month":
        return days_of_month(bucket, stream.zone)
    return days_from(bucket, 7 if stream.learned.period else 1, stream.zone)


def slot_of(stream: Stream, bucket: int) -> int:
    """The season's slot of a day; a week or a month has none."""
    return 0 if stream.learned.period else day_slot(bucket, stream.zone)


def place_of(stream: Stream, bucket: int) -> Place:
    """A day, a week or a month of a stream."""
    slot, span = slot_of(stream, bucket), stream.learned.span
    return Place(stream.shop, stream.event_type, bucket, slot, span)


def hour_of(stream: Stream, hour: int) -> Place:
    """An hour of a stream."""
    return Place(stream.shop, stream.event_type, hour, hour_slot(hour, stream.zone), "hour")


def records_of_hour(stream: Stream, day: int, hour: int) -> int:
    """Records counted for an hour of a day."""
    hours = stream.days.get(day, {})
    return partials.count(hours[start] for start in hours if hour <= start < hour + HOUR_MS)


def first_hour_at(moment: int) -> int:
    """The first whole hour at or after a moment."""
    return -(-moment // HOUR_MS) * HOUR_MS
