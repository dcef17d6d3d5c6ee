"""A shop of one size, with its usual weeks behind it, counted and judged as COUNT and JUDGE do."""

from collections.abc import Iterator
from datetime import UTC

import msgspec
import numpy as np
from faults import ELSEWHERE, OWN, SHOP, Trial

from streamwatch.baselines import judging
from streamwatch.diagnosis.diagnose import Normals, days_of
from streamwatch.diagnosis.labels import LABEL
from streamwatch.diagnosis.learning import learn_days
from streamwatch.diagnosis.normal import FeatureDay
from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.events import Event
from streamwatch.domain.messages import Partial
from streamwatch.domain.readings import STAGE_SEGMENT, KpiKey, Reading
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import Rule, StageSettings, StageTopicSettings
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
from streamwatch.steps.rates import NOT_MIXED
from streamwatch.steps.sources import compile_sources
from streamwatch.steps.stagetopic import step_of

HISTORY = 28
TRIAL_DAYS = 14
"""Days after the history from which a fault's day is taken; days that are unusual by themselves,
such as holidays, are left out, since the departure then is not the fault's."""

SERVICE_TOPIC = "recommended-widgets"
SLICE = 2_000
RULES = (
    Rule("implausible-height", "widget-event", "height", range=(100.0, 250.0)),
    Rule("implausible-weight", "widget-event", "weight", range=(30.0, 250.0)),
)

KpiPlace = tuple[Kind, str, str]
"""Event type, KPI and segment."""


class Shop:
    """The shop.

    Attributes:
        normals: what is usual at the stages, by event type and feature.
        history: the values of the usual days of every KPI.
        own_bugs: what the user's own stage does wrong now.
    """

    def __init__(self, size: int, seed: int) -> None:
        days = HISTORY + TRIAL_DAYS
        self.settings = FleetSettings(1, days, seed=seed, largest=size, smallest=size, sale_rate=0)
        self.fleet = build_fleet(self.settings)
        self.own_bugs: list[StageBug] = []
        self.sources = {
            ruled: compile_sources(
                Settings(
                    rules=rules,
                    stages=(StageSettings(OWN, "benchmarks:sizing"),),
                    stage_topics=(
                        StageTopicSettings(
                            ELSEWHERE, SERVICE_TOPIC, "widget-event", after="normalise"
                        ),
                    ),
                ),
                (),
                lambda _shop: UTC,
                ShopKeys(b"k" * 32),
                own={OWN: self.sizing},
            )
            for ruled, rules in {False: (), True: RULES}.items()
        }
        self.currency = CURRENCIES[self.fleet.currency[0]]
        self.normals: dict[Kind, Normals] = {}
        self.history: dict[KpiPlace, list[float]] = {}
        self._baselines: dict[KpiPlace, judging.Baseline] = {}
        self._judging = Settings().judging
        self._usual_days: dict[Kind, list[int]] = {}
        self._clean: dict[tuple[Kind, int, bool], Cell] = {}
        for day in range(HISTORY):
            for kind, rows in self.rows(day).items():
                if kind != "return":
                    self._learn(kind, day, self.cell(kind, rows, self.sources[True]))

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

    def cell(self, kind: Kind, rows: Rows, sources, given: Rows | None = None) -> Cell:
        """The day's cell of all records: of ours, and of the service beside it.

        Args:
            kind: the event type.
            rows: what the client sent.
            sources: the compiled sources.
            given: what the service gave; what the client sent, if it did nothing to it.
        """
        hours: dict[int, partials.Hour] = {}
        self._count(kind, rows, sources[kind], hours)
        if kind == "widget-event":
            self._count(kind, rows if given is None else given, sources[SERVICE_TOPIC], hours)
        return partials.merged(hours.values()).get(ALL, Cell())

    def _count(self, kind: Kind, rows: Rows, source, hours: dict[int, partials.Hour]) -> None:
        step = step_of(source, 0)
        state = step.restore({})
        if len(rows):
            # The shop was there before: what is refused is counted in its newest hour.
            state.advance(SHOP, int(rows["occurred"].min()) // 3_600_000 * 3_600_000)
        values = encode(kind, rows, self.fleet)
        arrivals = rows["arrived"].tolist()
        for start in range(0, len(values), SLICE):
            records = [
                FileRecord(start + place, value, arrivals[start + place])
                for place, value in enumerate(values[start : start + SLICE])
            ]
            step.process(state, Slice(source.topic, 0, records), 0)
        for message in step.settle(state, len(values), 0, 0).messages:
            partial = msgspec.msgpack.decode(message.value, type=Partial)
            partials.keep(hours.setdefault(partial.hour, {}), partial)

    def usual(self, trial: Trial, day: int, clean: Rows) -> Cell:
        """The same day without a fault."""
        name = (trial.kind, day, trial.ruled)
        if name not in self._clean:
            self._clean[name] = self.cell(trial.kind, clean, self.sources[trial.ruled])
        return self._clean[name]

    def trial_days(self, kind: Kind) -> list[int]:
        """The days on which a fault may be tried."""
        if kind not in self._usual_days:
            days = range(HISTORY, HISTORY + TRIAL_DAYS)
            self._usual_days[kind] = [day for day in days if self._is_usual(kind, day)]
        return self._usual_days[kind]

    def _is_usual(self, kind: Kind, day: int) -> bool:
        cell = self.cell(kind, self.rows(day)[kind], self.sources[True])
        verdicts = [
            judging.score(self._baselines[place], reading, self._judging)
            for reading in self.readings(kind, day, cell)
            if (place := place_of(kind, reading.key)) in self._baselines
        ]
        return all(verdict.state != "unusual" for verdict in verdicts)

    def _learn(self, kind: Kind, day: int, cell: Cell) -> None:
        days = days_of(cell)
        departing = set()
        for reading in self.readings(kind, day, cell):
            place = place_of(kind, reading.key)
            baseline = self._baselines.get(place) or judging.begin(reading.key)
            verdict = judging.score(baseline, reading, self._judging)
            self._baselines[place] = judging.learn(baseline, reading, verdict, self._judging)
            self.history.setdefault(place, []).append(reading.value)
            if verdict.state == "unusual" and reading.key.segment == ALL:
                departing.add(reading.key.kpi)
        self.normals[kind] = learn_days(self.normals.get(kind, {}), days, departing)
        for feature, one in days.items():
            name = (kind, f"missing.{feature.removeprefix(LABEL)}", ALL)
            self.history.setdefault(name, []).append(missing_rate(one))

    def readings(self, kind: Kind, day: int, cell: Cell) -> Iterator[Reading]:
        """Volume, means and mixes of a day, and the means of what the service gave."""
        start = self.settings.start_ms + day * DAY_MS
        slot = (3 + start // DAY_MS) % 7
        key = KpiKey(SHOP, kind, "volume")
        yield Reading(key, start, slot, float(cell.count), cell.count)
        found = {ALL: cell.numbers}
        found |= {STAGE_SEGMENT + stage: numbers for stage, numbers in cell.beside.items()}
        for segment, numbers in found.items():
            for feature, moments in numbers.items():
                if moments.n:
                    key = KpiKey(SHOP, kind, f"mean.{feature}", segment)
                    yield Reading(key, start, slot, moments.mean, moments.n, moments.variance)

        for label, counts in cell.labels.items():
            known = {value: n for value, n in counts.items() if value}
            if known and label not in NOT_MIXED:
                key = KpiKey(SHOP, kind, f"mix.{label}")
                yield Reading(key, start, slot, 0.0, sum(known.values()), counts=known)

    def verdict(self, day: int, cell: Cell, key: KpiKey) -> Verdict | None:
        """The judge's word on a KPI of a day; ``None`` where it has none."""
        kind: Kind = key.event_type  # type: ignore[assignment]
        baseline = self._baselines.get(place_of(kind, key))
        for reading in self.readings(kind, day, cell):
            if reading.key == key and baseline is not None:
                return judging.score(baseline, reading, self._judging)
        return None


def place_of(kind: Kind, key: KpiKey) -> KpiPlace:
    """Where a KPI's history stands."""
    return kind, key.kpi, key.segment


def missing_rate(day: FeatureDay) -> float:
    """Share of the counted records that lack a value."""
    return day.last.missing / max(day.last.n + day.last.missing, 1)
