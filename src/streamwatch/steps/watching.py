"""Tests on a day that is not over: a fault that is clear at nine is told at nine.

At every partial of an open day: a sequential test per field that may lack, and the single
values and the mean of the hour against what is usual, with stricter limits, since they are
looked at often. At its close the day is judged as a whole, whatever was told before.
"""

import math

import msgspec

from streamwatch.baselines import judging, units
from streamwatch.baselines.pace import half_wanted
from streamwatch.baselines.shares import ShareBaseline
from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.messages import Partial
from streamwatch.domain.readings import Place
from streamwatch.domain.verdicts import Verdict
from streamwatch.steps import diagnosing, measure, partials, rates
from streamwatch.steps.partials import Kept
from streamwatch.steps.streams import Stream, bucket_of_day, kpi_name, place_of
from streamwatch.steps.tick import Tick, tell

SURE = math.log(1e6)
"""Likelihood ratio from which a field is taken to lack more often (Wald 1945)."""

_LEAST_ALTERNATIVE = 0.3
_TIMES = 5.0
_MOST_ALTERNATIVE = 0.95
_LEAST_RATE = 0.002
_MOST_RATE = 0.7
"""A field that lacks more often than this cannot lack far more often; its day tells."""

_LEAST_LOST = 3
_UNIT_MARGIN = 1.0
_MEAN_MARGIN = 3.0
_LEAST_RECORDS = 10
_LOOK_AGAIN = math.log(1.15)


def watch(tick: Tick, stream: Stream, day: int, partial: Partial, kept: Kept) -> None:
    """Test what a partial added to an open day."""
    kind = EVENT_TYPES.get(stream.event_type)
    if kind is None or not stream.learned.baselines or ALL not in partial.cells:
        return
    place = place_of(stream, bucket_of_day(stream, day))
    now = partial.cells[ALL]
    before = Cell()
    if kept.before is not None:
        before = partials.cells_of(kept.before).get(ALL, before)
    earlier = rates.missing_counts(kind, before)
    for field, (lacking, n) in rates.missing_counts(kind, now).items():
        old_lacking, old_n = earlier.get(field, (0, 0))
        grown = (max(lacking - old_lacking, 0), max(n - old_n, 0))
        _test_missing(tick, stream, place, field, grown, (lacking, n), now)
    if _looks(now.count) > _looks(before.count):
        _test_means(tick, stream, place, now)


def _test_missing(
    tick: Tick,
    stream: Stream,
    place: Place,
    field: str,
    grown: tuple[int, int],
    total: tuple[int, int],
    cell: Cell,
) -> None:
    key = place.key(f"missing.{field}")
    baseline = stream.learned.baselines.get(kpi_name(key))
    if not isinstance(baseline, ShareBaseline):
        return
    if baseline.buckets < half_wanted(place.span, tick.settings.warmup_days):
        return
    sums = stream.open.sums
    old = sums.get(key.kpi, 0.0)
    new = max(old + evidence_of_loss(baseline.rate, *grown), 0.0)
    if new != old:
        sums[key.kpi] = new
        if not new:
            del sums[key.kpi]
        tick.state.changed_open.add(stream.shop)
    if new < SURE or total[0] < _LEAST_LOST or stream.open.told.get(key.kpi) == place.bucket:
        return
    reading = rates.share(place, key.kpi, *total)
    verdict = judging.score(baseline, reading, tick.settings)
    strength = max(abs(verdict.score), math.sqrt(2 * new))
    reason = f"lacking since {total[0]} of the newest {total[1]} records; {verdict.reason}"
    verdict = msgspec.structs.replace(verdict, state="unusual", score=strength, reason=reason)
    _tell_early(tick, stream, verdict, baseline.rate, cell)


def evidence_of_loss(rate: float, lacking: int, n: int) -> float:
    """Logarithm of the likelihood ratio of "lacks far more often" to "as usual".

    >>> evidence_of_loss(0.01, 6, 6) > SURE, evidence_of_loss(0.01, 1, 100) < 0
    (True, True)
    >>> evidence_of_loss(1.0, 300, 300)  # never sent: nothing can be lost
    0.0
    """
    if rate > _MOST_RATE:
        return 0.0
    usual = max(rate, _LEAST_RATE)
    other = min(max(_LEAST_ALTERNATIVE, _TIMES * usual), _MOST_ALTERNATIVE)
    present = (n - lacking) * math.log((1 - other) / (1 - usual))
    return lacking * math.log(other / usual) + present


def _test_means(tick: Tick, stream: Stream, place: Place, cell: Cell) -> None:
    if cell.count < _LEAST_RECORDS:
        return
    for reading in measure.means(place, ALL, cell):
        baseline = stream.learned.baselines.get(kpi_name(reading.key))
        if baseline is None or not baseline.is_warm:
            continue
        if stream.open.told.get(reading.key.kpi) == place.bucket:
            continue
        verdict = judging.score(baseline, reading, tick.settings)
        wrong_unit = verdict.urgent and abs(verdict.score) >= units.NAMED_FROM + _UNIT_MARGIN
        far = abs(verdict.deviation) >= tick.settings.threshold + _MEAN_MARGIN
        if verdict.state == "unusual" and (wrong_unit or far):
            _tell_early(tick, stream, verdict, verdict.expected, cell)


def _tell_early(
    tick: Tick, stream: Stream, verdict: Verdict, expected: float | None, cell: Cell
) -> None:
    start, found = verdict.bucket, stream.open
    found.versions[start] = found.versions.get(start, 0) + 1
    found.told[verdict.key.kpi] = start
    tick.state.changed_open.add(stream.shop)
    verdict = msgspec.structs.replace(
        verdict,
        expected=expected,
        lower=verdict.lower if verdict.lower is not None else expected,
        upper=verdict.upper if verdict.upper is not None else expected,
        reason=f"the {verdict.key.span} is still open: {verdict.reason}",
        urgent=True,
        version=found.versions[start],
        judged_at=tick.clock,
    )
    bucket = diagnosing.bucket_of({ALL: cell}, start, stream.days)
    tell(tick, stream, diagnosing.with_origin(verdict, stream.learned.normals, bucket))
    tick.state.changed_shops.add(stream.shop)


def _looks(count: int) -> int:
    """How often an hour has been looked at when it holds so many records."""
    return int(math.log(count) / _LOOK_AGAIN) if count > 1 else 0
