"""Tests on a day that is not over: a fault that is clear at nine is told at nine.

At every partial of an open day, what it adds is tested: fields that lack, and values that lie a
wrong unit away. These tests are sequential, so it matters neither how often is looked nor how
large the hour is already. Now and then the hour's means, and a wrong unit in few of its values,
are set against what is usual, with stricter limits, since that is looked at often. At its close
the day is judged as a whole, whatever was told before.
"""

import math

import msgspec

from streamwatch.baselines import judging, units
from streamwatch.baselines.evidence import SURE, evidence_of_rise
from streamwatch.baselines.meanmodel import MeanBaseline
from streamwatch.baselines.pace import half_wanted
from streamwatch.baselines.shares import ShareBaseline
from streamwatch.baselines.strays import strays_among
from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.growth import growth_of_counts
from streamwatch.domain.messages import Partial
from streamwatch.domain.readings import Reading
from streamwatch.steps import measure, partials, rates
from streamwatch.steps.early import LEAST_RECORDS, Look, clearer, tell_early
from streamwatch.steps.partials import Kept
from streamwatch.steps.streams import Stream, bucket_of_day, kpi_name, place_of
from streamwatch.steps.tick import Tick

_LEAST_LOST = 3
_UNIT_MARGIN = 1.0
_MEAN_MARGIN = 3.0
_LOOK_AGAIN = math.log(1.15)


def watch(tick: Tick, stream: Stream, day: int, partial: Partial, kept: Kept) -> None:
    """Test what a partial added to an open day."""
    kind = EVENT_TYPES.get(stream.event_type)
    if kind is None or not stream.learned.baselines or ALL not in partial.cells:
        return
    if not partial.cells[ALL].count:  # such as what a stage in another service gave
        return
    before = partials.whole_of(kept.before)
    place = place_of(stream, bucket_of_day(stream, day))
    look = Look(tick, stream, place, before, partial.cells[ALL])
    _test_missing(look, kind)
    _test_units(look)
    if _looks(look.now.count) > _looks(before.count):
        _test_means(look)


def _test_missing(look: Look, kind: EventType) -> None:
    earlier = rates.missing_counts(kind, look.before)
    wanted = half_wanted(look.place.span, look.tick.settings.warmup_days)
    for field, (lacking, n) in rates.missing_counts(kind, look.now).items():
        key = look.place.key(f"missing.{field}")
        baseline = look.stream.learned.baselines.get(kpi_name(key))
        if not isinstance(baseline, ShareBaseline) or baseline.buckets < wanted:
            continue
        old_lacking, old_n = earlier.get(field, (0, 0))
        grown = (max(lacking - old_lacking, 0), max(n - old_n, 0))
        lost = look.sum_up(f"{key.kpi}, lacking", float(grown[0]))
        total = look.sum_up(key.kpi, evidence_of_rise(baseline.rate, *grown))
        if total >= SURE and lost >= _LEAST_LOST and not look.is_told(key.kpi):
            _tell_missing(look, kind, field, baseline, total)


def _tell_missing(
    look: Look, kind: EventType, field: str, baseline: ShareBaseline, evidence: float
) -> None:
    def read(cell: Cell) -> Reading:
        counts = rates.missing_counts(kind, cell).get(field, (0, 0))
        return rates.share(look.place, f"missing.{field}", *counts)

    if look.now.count < LEAST_RECORDS:
        cell = look.whole_bucket()
        verdict = judging.score(baseline, read(cell), look.tick.settings)
        which = f"records of the {look.place.span}"
    else:
        verdict, cell = clearer(look, baseline, read)
        which = "newest records"
    verdict = msgspec.structs.replace(
        verdict,
        score=max(abs(verdict.score), math.sqrt(2 * evidence)),
        reason=f"lacking in {read(cell).hits} of {verdict.n} {which}; {verdict.reason}",
    )
    tell_early(look, verdict, baseline.rate, cell)


def _test_units(look: Look) -> None:
    for feature, bins in look.now.sketches.items():
        key = look.place.key(f"mean.{feature}")
        baseline = look.stream.learned.baselines.get(kpi_name(key))
        if not isinstance(baseline, MeanBaseline) or not baseline.is_warm:
            continue
        if look.is_told(key.kpi):
            continue
        grown = growth_of_counts(look.before.sketches.get(feature, {}), bins)
        found = strays_among(baseline.watch, grown, key.kpi)
        if not found.hits and key.kpi not in look.stream.open.sums:
            continue
        total = look.sum_up(key.kpi, found.evidence)
        if total >= SURE and found.fault is not None and look.now.count >= LEAST_RECORDS:
            _tell_unit(look, feature, baseline, found.fault, total)


def _tell_unit(
    look: Look, feature: str, baseline: MeanBaseline, fault: units.UnitFault, evidence: float
) -> None:
    verdict, cell = clearer(
        look, baseline, lambda cell: measure.mean(look.place, ALL, cell, feature)
    )
    strength = max(abs(verdict.score), math.sqrt(2 * evidence))
    words = "" if verdict.urgent else f"the newest records look like {fault.meaning}; "
    verdict = msgspec.structs.replace(
        verdict,
        score=math.copysign(strength, fault.factor - 1),
        reason=words + verdict.reason,
    )
    tell_early(look, verdict, verdict.expected, cell)


def _test_means(look: Look) -> None:
    if look.now.count < LEAST_RECORDS:
        return
    settings = look.tick.settings
    for reading in measure.means(look.place, ALL, look.now):
        baseline = look.stream.learned.baselines.get(kpi_name(reading.key))
        if baseline is None or not baseline.is_warm or look.is_told(reading.key.kpi):
            continue
        verdict = judging.score(baseline, reading, settings)
        wrong_unit = verdict.urgent and abs(verdict.score) >= units.NAMED_FROM + _UNIT_MARGIN
        far = abs(verdict.deviation) >= settings.threshold + _MEAN_MARGIN
        if verdict.state == "unusual" and (wrong_unit or far):
            tell_early(look, verdict, verdict.expected, look.now)


def _looks(count: int) -> int:
    """How often an hour has been looked at when it holds so many records."""
    return int(math.log(count) / _LOOK_AGAIN) if count > 1 else 0
