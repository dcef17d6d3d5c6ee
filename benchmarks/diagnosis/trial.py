"""One fault, counted, judged and diagnosed; and what the truth is about it."""

import math
import statistics

import msgspec
import numpy as np
from faults import CLEANING, ELSEWHERE, OWN, SHOP, STAGES, Trial, bug, damaged, has_field
from shop import RATIO, Shop, missing_rate, place_of

from streamwatch.adapters.stage_bugs import misbehaving
from streamwatch.diagnosis.diagnose import Found, days_of, diagnose
from streamwatch.diagnosis.labels import LABEL
from streamwatch.diagnosis.normal import FeatureDay
from streamwatch.diagnosis.origin import Origin, undetermined
from streamwatch.domain.cells import ALL, Cell, Moments
from streamwatch.domain.events import WidgetEvent
from streamwatch.domain.readings import STAGE_SEGMENT, KpiKey
from streamwatch.domain.verdicts import Verdict
from streamwatch.simulation.chance import generator
from streamwatch.simulation.rows import Rows, encode
from streamwatch.simulation.stagebug import refuses
from streamwatch.steps.diagnosing import Bucket, with_origin

DETECTABLE = 5.0
NAMEABLE = 5
"""Wrong values below which no unit can be read from them."""


class Result(msgspec.Struct, frozen=True):
    """What was said of a trial.

    Attributes:
        kpi: that it moves.
        deviation: by how many standard deviations of its usual days, by the truth.
        affected: records that it hit.
        raised: whether the judge called the day unusual.
        origin, hypothesis, reason: what the diagnosis said.
    """

    trial: Trial
    kpi: str
    deviation: float
    affected: int
    raised: bool
    origin: str
    hypothesis: str
    reason: str

    @property
    def detectable(self) -> bool:
        """By the truth; if the judge saw it, of a mix or a mark that have no number to tell by."""
        if self.trial.effect in ("relabel", "mark"):
            return self.raised and self.affected > 0
        return abs(self.deviation) >= DETECTABLE and self.affected > 0

    @property
    def nameable(self) -> bool:
        """Whether a unit is to be named: of a mean with enough wrong values in it."""
        of_mean = self.trial.effect == "scale" and not self.trial.rules
        return of_mean and self.affected >= NAMEABLE


def run(shop: Shop, trial: Trial, number: int) -> Result:
    """Count, judge and diagnose one fault."""
    days = shop.trial_days(trial.kind)
    day = days[number % len(days)]
    clean = shop.rows(day)[trial.kind]
    lots = generator(shop.settings.seed, "trial", number).random(len(clean))
    hit = (lots < trial.share) & has_field(clean, trial.field)
    cell, usual = _counted(shop, trial, clean, hit), shop.usual(trial, day, clean)
    key = _key(trial, shop)
    moved = _moved(shop, day, key, trial, (cell, usual))
    spread = statistics.stdev(shop.history[place_of(trial.kind, key)]) or 1e-9
    if trial.effect in ("relabel", "mark"):
        spread = math.inf
    verdict = shop.verdict(day, cell, key)
    raised = verdict is not None and verdict.state == "unusual"
    if key.kpi != "volume" and not raised:
        verdict = None
    if trial.effect == "ratio":
        found = _of_ratio(shop, day, cell, verdict)
    else:
        found = diagnose(key, shop.normals[trial.kind], days_of(cell), verdict, cell.rejects)
    affected = int(hit.sum()) if trial.origin in ("client", ELSEWHERE) else _affected(cell, usual)
    return _result(trial, key, moved / spread, affected, raised, found)


def _counted(shop: Shop, trial: Trial, clean: Rows, hit: np.ndarray) -> Cell:
    """The day's cell with the fault in it."""
    sources = shop.sources[trial.rules]
    wrong = damaged(clean, hit, trial)
    given = wrong if trial.reaches_service else clean
    if trial.origin in STAGES and trial.reaches_service and trial.effect != "refuse":
        given = damaged(clean, _hit_by_stage(shop, trial, clean), trial)
    if trial.origin == "client":
        return shop.cell(trial.kind, wrong, sources, given)
    if trial.origin == ELSEWHERE:
        return shop.cell(trial.kind, clean, sources, given)
    if trial.origin in (CLEANING, OWN):
        shop.own_bugs = [bug(trial)]
    else:
        broken = misbehaving(sources[trial.kind], [bug(trial)])
        sources = {**sources, trial.kind: broken}
    cell = shop.cell(trial.kind, clean, sources, given)
    shop.own_bugs = []
    return cell


def _hit_by_stage(shop: Shop, trial: Trial, clean: Rows) -> np.ndarray:
    """The rows that a broken stage of ours hits, which the service then gets."""
    refusing = msgspec.structs.replace(bug(trial), effect="refuse")
    ids = [
        msgspec.json.decode(value)["event_id"] for value in encode(trial.kind, clean, shop.fleet)
    ]
    hit = [refuses([refusing], WidgetEvent(one, SHOP), 0) is not None for one in ids]
    return np.array(hit, dtype=bool) & has_field(clean, trial.field)


def _key(trial: Trial, shop: Shop) -> KpiKey:
    feature = f"price.{shop.currency}" if trial.field == "price" else trial.field
    kinds = {"lose": "missing", "relabel": "mix"}
    segment = STAGE_SEGMENT + ELSEWHERE if trial.origin == ELSEWHERE else ALL
    kpi = f"{kinds.get(trial.effect, 'mean')}.{feature}"
    if trial.effect in ("refuse", "drop") or trial.rules == "reject":
        kpi = "volume"
    elif trial.effect in ("ratio", "mark"):
        kpi = RATIO if trial.effect == "ratio" else "marks"
    return KpiKey(SHOP, trial.kind, kpi, segment)


def _of_ratio(shop: Shop, day: int, cell: Cell, verdict: Verdict | None) -> Found:
    """As the judge does: by the volumes of the two event types, where they are unusual."""
    if verdict is None:
        return Found(undetermined("the ratio is usual"))
    below = Cell(count=shop.widgets(day))
    volumes = []
    for kind, one in (("purchase", cell), ("widget-event", below)):
        volume = shop.verdict(day, one, KpiKey(SHOP, kind, "volume"))
        if volume is not None and volume.state == "unusual":
            bucket = Bucket(days_of(one), one.rejects)
            volumes.append(with_origin(volume, shop.normals[kind], bucket))
    told = with_origin(verdict, {}, Bucket({}, {}, volumes=tuple(volumes)))
    return Found(Origin(told.origin, told.origin_reason))


def _behind(trial: Trial, day: FeatureDay) -> Moments:
    """A feature where the fault shows: after the last stage, or after the service."""
    return day.beside[ELSEWHERE] if trial.origin == ELSEWHERE else day.last


def _moved(shop: Shop, day: int, key: KpiKey, trial: Trial, both: tuple[Cell, Cell]) -> float:
    """By how much the fault moves its KPI."""
    cell, usual = both
    if key.kpi == "volume":
        return cell.count - usual.count
    if key.kpi == "marks":
        return sum(cell.marks.values()) - sum(usual.marks.values())
    if key.kpi == RATIO:
        return (cell.count - usual.count) / max(shop.widgets(day), 1)
    feature = key.kpi.partition(".")[2]
    if trial.effect == "lose":
        name = feature if feature in usual.numbers else LABEL + feature
        now, before = (_behind(trial, days_of(one)[name]) for one in (cell, usual))
        return missing_rate(now) - missing_rate(before)
    if trial.effect == "relabel":
        now, before = (
            one.beside_labels[ELSEWHERE][feature]
            if trial.origin == ELSEWHERE
            else one.labels[feature]
            for one in (cell, usual)
        )
        gains = [now.get(one, 0) - before.get(one, 0) for one in now.keys() | before]
        return sum(map(abs, gains)) / 2 / max(cell.count, 1)
    both = [
        one.beside.get(ELSEWHERE, {}) if trial.origin == ELSEWHERE else one.numbers
        for one in (cell, usual)
    ]
    now, before = (numbers.get(feature) for numbers in both)
    return now.mean - before.mean if now and before else 0.0


def _affected(cell: Cell, usual: Cell) -> int:
    """How many records a stage of ours changed, lost or refused, of whatever field."""
    changed = sum(
        sum(abs(before.get(place, 0) - after.get(place, 0)) for place in before.keys() | after)
        for field in usual.sketches
        for before, after in [(usual.sketches[field], cell.sketches.get(field, {}))]
    )
    relabelled = sum(
        sum(kinds.values()) for labels in cell.label_changes.values() for kinds in labels.values()
    )
    return max(int(changed) // 2, relabelled, abs(usual.count - cell.count))


def _result(
    trial: Trial, key: KpiKey, deviation: float, affected: int, raised: bool, found: Found
) -> Result:
    return Result(
        trial=trial,
        kpi=key.kpi,
        deviation=round(deviation, 2),
        affected=affected,
        raised=raised,
        origin=found.origin.name,
        hypothesis=found.hypothesis,
        reason=found.origin.reason,
    )
