"""Stage by stage: what became of a KPI, before an incident and during it."""

import math
from collections.abc import Iterable

import msgspec
from markupsafe import Markup

from streamwatch.adapters.sql.journey import StageDay
from streamwatch.adapters.web.plots import SMALL, Departure, Point, plot, value_range
from streamwatch.adapters.web.wording import feature_of, kpi_name, unit_of
from streamwatch.domain.incidents import Incident
from streamwatch.domain.refusals import STAGES

COUNTS = frozenset({"volume", "silence"})
"""Kinds of KPIs that are about the number of records."""

SHARE_OF_SHIFT = 0.5
"""A stage shows the shift from this share of the last stage's on."""


class StageRow(msgspec.Struct, frozen=True):
    """One stage: its number before and during the incident.

    Attributes:
        before, during: weighted by the records of each day; ``None`` where there are none.
        records: during the incident.
        changed: share of those that the stage changed.
        is_first: the shift shows here first.
        plot: the number by the day.
    """

    stage: str
    before: float | None
    during: float | None
    records: int
    changed: float | None
    is_first: bool
    plot: Markup


class StageTable(msgspec.Struct, frozen=True):
    """All stages, and the days by which they can be compared.

    Attributes:
        rows: a row for each stage, in their order.
        days: bucket → stage → number, oldest first.
        where: what the numbers alone say, in words; empty when they say nothing.
        title, unit: what the numbers are.
    """

    rows: list[StageRow]
    days: dict[int, dict[str, float]]
    where: str
    title: str
    unit: str


def stage_table(incident: Incident, statistics: list[StageDay]) -> StageTable | None:
    """The stages of an incident's KPI; ``None`` where statistics say nothing about it."""
    kpi = incident.key.kpi
    kind = kpi.partition(".")[0]
    if kind not in {*COUNTS, "mean", "missing"} or not statistics:
        return None
    by_stage: dict[str, dict[int, tuple[float, int, int]]] = {}
    for bucket, stage, number, records, changed in _numbers(kpi, statistics):
        by_stage.setdefault(stage, {})[bucket] = (number, records, changed)
    stages = [stage for stage in STAGES if stage in by_stage]
    if not stages:
        return None
    means = {stage: _before_and_during(incident, by_stage[stage], kind) for stage in stages}
    first = _first_with_shift(stages, means)
    axis = value_range(Point(0, one[0]) for days in by_stage.values() for one in days.values())
    rows = [
        _row(incident, stage, by_stage[stage], means[stage], axis, is_first=stage == first)
        for stage in stages
    ]
    buckets = sorted({bucket for days in by_stage.values() for bucket in days})
    days = {
        bucket: {stage: by_stage[stage][bucket][0] for stage in stages if bucket in by_stage[stage]}
        for bucket in buckets
    }
    title, unit = ("records", "events") if kind in COUNTS else (kpi_name(kpi), unit_of(kpi))
    return StageTable(rows, days, _where(first, stages), title, unit)


def _numbers(
    kpi: str, statistics: Iterable[StageDay]
) -> Iterable[tuple[int, str, float, int, int]]:
    kind, feature = kpi.partition(".")[0], feature_of(kpi)
    if kind in COUNTS:
        # Every feature counts the stage's records, with and without it; a price its currency's.
        counts: dict[tuple[int, str], int] = {}
        for one in statistics:
            place = (one.bucket, one.stage)
            counts[place] = max(counts.get(place, 0), one.n + one.missing)
        yield from ((at, stage, float(count), count, 0) for (at, stage), count in counts.items())
        return
    for one in statistics:
        if one.feature != feature:
            continue
        records = one.n + one.missing
        if kind == "missing" and records:
            yield one.bucket, one.stage, one.missing / records, records, one.changed
        elif kind == "mean" and one.mean is not None:
            yield one.bucket, one.stage, one.mean, one.n, one.changed


def _before_and_during(
    incident: Incident, days: dict[int, tuple[float, int, int]], kind: str
) -> tuple[float | None, float | None]:
    until = incident.until if incident.until is not None else math.inf
    before = [one for at, one in days.items() if at < incident.since]
    during = [one for at, one in days.items() if incident.since <= at < until]
    return _mean(before, kind), _mean(during, kind)


def _mean(days: list[tuple[float, int, int]], kind: str) -> float | None:
    weights = [1 if kind in COUNTS else records for _, records, _ in days]
    whole = sum(weights)
    if not whole:
        return None
    return (
        sum(number * weight for (number, _, _), weight in zip(days, weights, strict=True)) / whole
    )


def _first_with_shift(
    stages: list[str], means: dict[str, tuple[float | None, float | None]]
) -> str | None:
    shifts = {
        stage: during - before
        for stage, (before, during) in means.items()
        if before is not None and during is not None
    }
    last = shifts.get(stages[-1], 0.0)
    if last == 0.0:
        return None
    return next(
        (one for one in stages if one in shifts and shifts[one] / last >= SHARE_OF_SHIFT), None
    )


def _where(first: str | None, stages: list[str]) -> str:
    if first is None:
        return ""
    if first == stages[0]:
        return f"It is so after {first} already: the records came in like this."
    before = stages[stages.index(first) - 1]
    return f"After {before} it is as before, after {first} it is not: look at the stage {first}."


def _row(
    incident: Incident,
    stage: str,
    days: dict[int, tuple[float, int, int]],
    means: tuple[float | None, float | None],
    axis: tuple[float, float],
    *,
    is_first: bool,
) -> StageRow:
    until = incident.until if incident.until is not None else math.inf
    during = [one for at, one in days.items() if incident.since <= at < until]
    records = sum(one[1] for one in during)
    changed = sum(one[2] for one in during) / records if records else None
    points = [Point(at, days[at][0]) for at in sorted(days)]
    drawn = plot(
        points,
        label=f"{incident.key.kpi} after {stage}, by the day",
        span="day",
        frame=SMALL,
        departure=Departure(incident.since, incident.until),
        values=axis,
        unit=unit_of(incident.key.kpi) if incident.key.kpi != "silence" else "events",
    )
    return StageRow(stage, *means, records, changed, is_first, drawn)
