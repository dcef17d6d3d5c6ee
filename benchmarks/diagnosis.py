"""Is the origin of a fault named rightly? Simulated faults of known origin, size and share.

    python benchmarks/diagnosis.py --seed 7 --output benchmarks/results/diagnosis.json

One shop of each size lives through four usual weeks; then a day with one fault is counted,
judged and diagnosed, by the same functions that COUNT and JUDGE call, without SQL or Kafka. The
fault is the client's or one of our stages', and hits a share of the records. ``detectable`` is
told by the truth, not by us: the fault moves the KPI by five standard deviations or more of
what it does from day to day anyway.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import msgspec
import numpy as np

from streamwatch.adapters.stage_bugs import misbehaving
from streamwatch.baselines import judging
from streamwatch.diagnosis.diagnose import Found, Normals, days_of, diagnose
from streamwatch.diagnosis.learning import learn_days
from streamwatch.diagnosis.normal import FeatureDay
from streamwatch.diagnosis.unitfault import FACTORS
from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.events import Event
from streamwatch.domain.messages import Partial
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import Rule, StageSettings
from streamwatch.domain.verdicts import Verdict
from streamwatch.simulation.chance import generator
from streamwatch.simulation.fleet import DAY_MS, FleetSettings, build_fleet
from streamwatch.simulation.journeys import journeys
from streamwatch.simulation.rows import CURRENCIES, Kind, Rows, encode
from streamwatch.simulation.season import visits
from streamwatch.simulation.stagebug import StageBug, misbehave, refuses
from streamwatch.stages.custom import Refuse
from streamwatch.stages.pseudonymise import ShopKeys
from streamwatch.steps import partials
from streamwatch.steps.count import CountStep
from streamwatch.steps.source import Source
from streamwatch.steps.sources import compile_sources

HISTORY = 28
TRIAL_DAYS = 14
"""Days after the history from which a fault's day is taken; days that are unusual by themselves,
such as holidays, are left out, since the departure then is not the fault's."""
SIZES = (20, 100, 1_000, 10_000, 100_000)
SHARES = (0.01, 0.1, 1.0)
OWN = "sizing"
"""A stage of the user's own, behind `normalise`."""
STAGES = ("validate", "normalise", OWN, "pseudonymise", "segment")
DETECTABLE = 5.0
NAMEABLE = 5
"""Wrong values below which no unit can be read from them."""
SHOP = "shop-001"
RULES = (
    Rule("implausible-height", "widget-event", "height", range=(100.0, 250.0)),
    Rule("implausible-weight", "widget-event", "weight", range=(30.0, 250.0)),
)


class Trial(msgspec.Struct, frozen=True):
    """One fault.

    Attributes:
        size: widget events a day of the shop.
        origin: ``client`` or a stage.
        effect: ``scale``, ``lose``, ``refuse`` or ``drop``.
        kind: the event type.
        field, unit: what is hit, and what is done to it, in the words of `unitfault`.
        share: of the records.
        ruled: whether expert rules refuse implausible values.
    """

    size: int
    origin: str
    effect: str
    kind: Kind
    field: str
    unit: str
    share: float
    ruled: bool = False


class Result(msgspec.Struct, frozen=True):
    """What was said of a trial."""

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
        """By the truth."""
        return abs(self.deviation) >= DETECTABLE and self.affected > 0


def trials() -> Iterator[Trial]:
    """All faults, the small shops first."""
    units: tuple[tuple[Kind, str, str], ...] = (
        ("widget-event", "height", "inches for centimetres"),
        ("widget-event", "weight", "pounds for kilograms"),
        ("widget-event", "weight", "ten times too large"),
        ("purchase", "price", "hundred times too large (cents)"),
    )
    for size in SIZES:
        for share in SHARES:
            for origin in ("client", *STAGES):
                for unit in units:
                    yield Trial(size, origin, "scale", *unit, share)
                yield Trial(size, origin, "lose", "widget-event", "height", "", share)
            yield Trial(size, "client", "drop", "widget-event", "height", "", share)
            for kind, field, unit_name in units[:3:2]:
                yield Trial(size, "client", "refuse", kind, field, unit_name, share, ruled=True)
            for stage in ("validate", "normalise", OWN, "segment"):
                yield Trial(size, stage, "refuse", "widget-event", "height", "", share, ruled=True)


class Shop:
    """A shop of one size with its usual weeks behind it."""

    def __init__(self, size: int, seed: int) -> None:
        days = HISTORY + TRIAL_DAYS
        self.settings = FleetSettings(1, days, seed=seed, largest=size, smallest=size, sale_rate=0)
        self.fleet = build_fleet(self.settings)
        rules = {False: (), True: RULES}
        self.own_bugs: list[StageBug] = []
        stages = (StageSettings(OWN, "benchmarks:sizing"),)
        self.sources = {
            ruled: compile_sources(
                Settings(rules=some, stages=stages),
                (),
                lambda _shop: UTC,
                ShopKeys(b"k" * 32),
                own={OWN: self.sizing},
            )
            for ruled, some in rules.items()
        }
        self.currency = CURRENCIES[self.fleet.currency[0]]
        self.normals: dict[Kind, Normals] = {}
        self.baselines: dict[tuple[Kind, str], judging.Baseline] = {}
        self.history: dict[tuple[Kind, str], list[float]] = {}
        self.judging = Settings().judging
        self.usual_days: dict[Kind, list[int]] = {}
        self.clean: dict[tuple[Kind, int, bool], Cell] = {}
        for day in range(HISTORY):
            for kind, rows in self.rows(day).items():
                if kind != "return":
                    self._learn(kind, day, self.cell(kind, rows, self.sources[True][kind]))

    def sizing(self, event: Event, occurred_ms: int) -> Event | Refuse:
        """The own stage: leaves all as it is, but for its bugs."""
        field = refuses(self.own_bugs, event, occurred_ms)
        if field is not None:
            return Refuse("no-size", field)
        return misbehave(self.own_bugs, event, occurred_ms)

    def rows(self, day: int) -> dict[Kind, Rows]:
        """The journeys that begin on a day."""
        counts = visits(self.fleet, day)
        rng = generator(self.settings.seed, "journeys", day + 100_000)
        return journeys(self.fleet, day, counts, np.zeros_like(counts), rng)

    def cell(self, kind: Kind, rows: Rows, source: Source) -> Cell:
        """The rows, counted: the day's cell of all records."""
        step = CountStep(source, 0)
        state = step.restore({})
        if len(rows):
            # The shop was there before: what is refused is counted in its newest hour.
            state.advance(SHOP, int(rows["occurred"].min()) // 3_600_000 * 3_600_000)
        values = encode(kind, rows, self.fleet)
        arrivals = rows["arrived"].tolist()
        for start in range(0, len(values), 2_000):
            records = [
                FileRecord(start + place, value, arrivals[start + place])
                for place, value in enumerate(values[start : start + 2_000])
            ]
            step.process(state, Slice(kind, 0, records), 0)
        hours: dict[int, partials.Hour] = {}
        for message in step.settle(state, len(values), 0, 0).messages:
            partial = msgspec.msgpack.decode(message.value, type=Partial)
            partials.keep(hours.setdefault(partial.hour, {}), partial)
        return partials.merged(hours.values()).get(ALL, Cell())

    def usual(self, trial: Trial, day: int, clean: Rows) -> Cell:
        """The same day without a fault."""
        name = (trial.kind, day, trial.ruled)
        if name not in self.clean:
            source = self.sources[trial.ruled][trial.kind]
            self.clean[name] = self.cell(trial.kind, clean, source)
        return self.clean[name]

    def trial_days(self, kind: Kind) -> list[int]:
        """The days on which a fault may be tried."""
        if kind not in self.usual_days:
            days = range(HISTORY, HISTORY + TRIAL_DAYS)
            self.usual_days[kind] = [day for day in days if self._is_usual(kind, day)]
        return self.usual_days[kind]

    def _is_usual(self, kind: Kind, day: int) -> bool:
        cell = self.cell(kind, self.rows(day)[kind], self.sources[True][kind])
        verdicts = [
            judging.score(self.baselines[kind, reading.key.kpi], reading, self.judging)
            for reading in self.readings(kind, day, cell)
            if (kind, reading.key.kpi) in self.baselines
        ]
        return all(verdict.state != "unusual" for verdict in verdicts)

    def _learn(self, kind: Kind, day: int, cell: Cell) -> None:
        days = days_of(cell)
        departing = set()
        for reading in self.readings(kind, day, cell):
            name = (kind, reading.key.kpi)
            baseline = self.baselines.get(name) or judging.begin(reading.key)
            verdict = judging.score(baseline, reading, self.judging)
            self.baselines[name] = judging.learn(baseline, reading, verdict, self.judging)
            self.history.setdefault(name, []).append(reading.value)
            if verdict.state == "unusual":
                departing.add(reading.key.kpi)
        self.normals[kind] = learn_days(self.normals.get(kind, {}), days, departing)
        for feature, one in days.items():
            self.history.setdefault((kind, f"missing.{feature}"), []).append(missing_rate(one))

    def readings(self, kind: Kind, day: int, cell: Cell) -> Iterator[Reading]:
        """Volume and means of a day."""
        start = self.settings.start_ms + day * DAY_MS
        slot = (3 + start // DAY_MS) % 7
        key = KpiKey(SHOP, kind, "volume")
        yield Reading(key, start, slot, float(cell.count), cell.count)
        for feature, moments in cell.numbers.items():
            if moments.n:
                key = KpiKey(SHOP, kind, f"mean.{feature}")
                yield Reading(key, start, slot, moments.mean, moments.n, moments.variance)

    def verdict(self, kind: Kind, day: int, cell: Cell, kpi: str) -> Verdict | None:
        """The judge's word on a KPI of a day; ``None`` where it has none."""
        for reading in self.readings(kind, day, cell):
            baseline = self.baselines.get((kind, kpi))
            if reading.key.kpi == kpi and baseline is not None:
                return judging.score(baseline, reading, self.judging)
        return None


def missing_rate(day: FeatureDay) -> float:
    """Share of the counted records that lack a value."""
    return day.last.missing / max(day.last.n + day.last.missing, 1)


def run(shop: Shop, trial: Trial, number: int) -> Result:
    """Count, judge and diagnose one fault."""
    days = shop.trial_days(trial.kind)
    day = days[number % len(days)]
    clean = shop.rows(day)[trial.kind]
    feature = f"price.{shop.currency}" if trial.field == "price" else trial.field
    source = shop.sources[trial.ruled][trial.kind]
    rows = clean.copy()
    lots = generator(shop.settings.seed, "trial", number).random(len(rows))
    hit = (lots < trial.share) & ~np.isnan(rows[trial.field])
    factor = FACTORS[trial.field].get(trial.unit, 1.0)
    if trial.origin == "client":
        rows = damaged(rows, hit, trial, factor)
    elif trial.origin == OWN:
        shop.own_bugs = [bug(trial, factor)]
    else:
        source = misbehaving(source, [bug(trial, factor)])
    cell = shop.cell(trial.kind, rows, source)
    shop.own_bugs = []
    usual = shop.usual(trial, day, clean)
    days = days_of(cell)
    if trial.effect in ("refuse", "drop"):
        kpi = "volume"
        moved = cell.count - usual.count
    elif trial.effect == "lose":
        kpi = f"missing.{feature}"
        moved = missing_rate(days[feature]) - missing_rate(days_of(usual)[feature])
    else:
        kpi = f"mean.{feature}"
        now, before = cell.numbers.get(feature), usual.numbers.get(feature)
        moved = now.mean - before.mean if now and before else 0.0
    history = shop.history[trial.kind, kpi]
    verdict = shop.verdict(trial.kind, day, cell, kpi)
    raised = verdict is not None and verdict.state == "unusual"
    if kpi != "volume" and not raised:
        verdict = None
    key = KpiKey(SHOP, trial.kind, kpi)
    found = diagnose(key, shop.normals[trial.kind], days, verdict, cell.rejects)
    return result_of(
        trial, kpi, moved / (statistics.stdev(history) or 1e-9), (cell, usual), raised, found
    )


def result_of(
    trial: Trial,
    kpi: str,
    deviation: float,
    cells: tuple[Cell, Cell],
    raised: bool,
    found: Found,
) -> Result:
    """The outcome in a row."""
    cell, usual = cells
    field = next((one for one in usual.numbers if one.startswith(trial.field)), trial.field)
    before, after = usual.sketches.get(field, {}), cell.sketches.get(field, {})
    affected = sum(abs(before.get(b, 0) - after.get(b, 0)) for b in before.keys() | after.keys())
    affected //= 2 if trial.effect == "scale" else 1
    return Result(
        trial=trial,
        kpi=kpi,
        deviation=round(deviation, 2),
        affected=affected if trial.effect in ("scale", "lose") else abs(usual.count - cell.count),
        raised=raised,
        origin=found.origin.name,
        hypothesis=found.hypothesis,
        reason=found.origin.reason,
    )


def damaged(rows: Rows, hit: np.ndarray, trial: Trial, factor: float) -> Rows:
    """What the client sends instead."""
    if trial.effect == "drop":
        return rows[~hit]
    if trial.effect == "lose":
        rows[trial.field][hit] = math.nan
    else:
        rows[trial.field][hit] = np.round(rows[trial.field][hit] * factor, 2)
    return rows


def bug(trial: Trial, factor: float) -> StageBug:
    """What the stage of ours does."""
    effect = trial.effect if trial.effect in ("lose", "refuse") else "scale"
    return StageBug(
        trial.origin,
        SHOP,
        0,
        2**62,
        trial.share,
        trial.field,
        factor,
        None,
        effect,  # type: ignore[arg-type]
    )


def summary(results: list[Result]) -> dict[str, object]:
    """The figures that the targets are about."""
    seen = [one for one in results if one.detectable]
    right = [one for one in seen if one.origin == one.trial.origin]
    accused = [one for one in results if one.origin == "client" and one.trial.origin != "client"]
    wrong_stage = [
        one for one in results if one.origin not in (one.trial.origin, "client", "undetermined")
    ]
    scaled = [one for one in seen if one.trial.effect == "scale" and one.affected >= NAMEABLE]
    named = [one for one in scaled if one.hypothesis.startswith(one.trial.unit)]
    hidden = [one for one in results if not one.detectable and one.affected]
    return {
        "faults": len(results),
        "detectable": len(seen),
        "origin_right": len(right) / len(seen),
        "client_wrongly_accused": len(accused),
        "stage_wrongly_accused": len(wrong_stage),
        "unit_faults": len(scaled),
        "unit_right": len(named) / len(scaled),
        "below_detection": len(hidden),
        "below_detection_said": dict(
            Counter(
                "right"
                if one.origin == one.trial.origin
                else one.origin
                if one.origin == "undetermined"
                else "wrong"
                for one in hidden
            )
        ),
        "by_origin": {
            origin: f"{sum(one.origin == origin for one in some)}/{len(some)}"
            for origin in ("client", *STAGES)
            for some in [[one for one in seen if one.trial.origin == origin]]
        },
        "by_size": {
            str(size): f"{sum(one.origin == one.trial.origin for one in some)}/{len(some)}"
            for size in SIZES
            for some in [[one for one in seen if one.trial.size == size]]
        },
    }


def is_miss(one: Result) -> bool:
    """Whether a result is worth a look: a wrong name, or none where one was due."""
    trial = one.trial
    wrong = one.origin not in (trial.origin, "undetermined")
    nameable = trial.effect == "scale" and one.affected >= NAMEABLE
    unnamed = nameable and not one.hypothesis.startswith(trial.unit)
    return wrong or (one.detectable and (one.origin != trial.origin or unnamed))


def main() -> None:
    """Run all trials, or those of some sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--output", type=Path, default=None)
    options = parser.parse_args()
    results: list[Result] = []
    begun = time.monotonic()
    shops: dict[int, Shop] = {}
    for number, trial in enumerate(trials()):
        if trial.size not in options.sizes:
            continue
        if trial.size not in shops:
            shops = {trial.size: Shop(trial.size, options.seed)}
            print(f"{trial.size} a day: {time.monotonic() - begun:.0f} s", file=sys.stderr)
        results.append(run(shops[trial.size], trial, number))
    command = f"python benchmarks/diagnosis.py --seed {options.seed} --sizes "
    command += " ".join(map(str, options.sizes))
    told = {"command": command, "seed": options.seed, **summary(results)}
    misses = [msgspec.to_builtins(one) for one in results if is_miss(one)]
    text = json.dumps({"summary": told, "misses": misses}, indent=1)
    if options.output:
        options.output.write_text(text + "\n")
    print(json.dumps(told, indent=1))
    if not options.output:
        for miss in misses:
            print(json.dumps(miss))


if __name__ == "__main__":
    main()
