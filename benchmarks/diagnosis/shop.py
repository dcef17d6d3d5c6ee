"""A shop of one size, with its usual weeks behind it, counted and judged as COUNT and JUDGE do."""

from collections.abc import Iterator
from datetime import UTC

import msgspec
import numpy as np
from faults import CLEANING, ELSEWHERE, OWN, SHOP, Trial

from streamwatch.baselines import judging
from streamwatch.diagnosis.diagnose import Normals, days_of
from streamwatch.diagnosis.elsewhere import departing_name
from streamwatch.diagnosis.labels import LABEL
from streamwatch.diagnosis.learning import learn_days
from streamwatch.domain.cells import ALL, Cell, Moments
from streamwatch.domain.events import EVENT_TYPES, Event
from streamwatch.domain.messages import Partial
from streamwatch.domain.readings import STAGE_SEGMENT, KpiKey, Place, Reading
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
from streamwatch.stages.custom import Refuse, Step
from streamwatch.stages.pseudonymise import ShopKeys
from streamwatch.steps import measure, partials, rates
from streamwatch.steps.sources import compile_sources
from streamwatch.steps.stagetopic import step_of

HISTORY = 28
TRIAL_DAYS = 14
"""Days after the history from which a fault's day is taken; days that are unusual by themselves,
such as holidays, are left out, since the departure then is not the fault's."""

RATIO = "ratio.conversion"
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
            action: compile_sources(
                Settings(
                    rules=tuple(msgspec.structs.replace(rule, action=action) for rule in rules),
                    stages=(
                        StageSettings(CLEANING, "benchmarks:own", "decode"),
                        StageSettings(OWN, "benchmarks:own", "normalise"),
                    ),
                    stage_topics=(
                        StageTopicSettings(
                            ELSEWHERE, SERVICE_TOPIC, "widget-event", after="normalise"
                        ),
                    ),
                ),
                (),
                lambda _shop: UTC,
                ShopKeys(b"k" * 32),
                own={name: self.own(name) for name in (CLEANING, OWN)},
            )
            for action, rules in {"": (), "reject": RULES, "mark": RULES}.items()
        }
        self.currency = CURRENCIES[self.fleet.currency[0]]
        self.normals: dict[Kind, Normals] = {}
        self.history: dict[KpiPlace, list[float]] = {}
        self._baselines: dict[KpiPlace, judging.Baseline] = {}
        self._judging = Settings().judging
        self._usual_days: dict[Kind, list[int]] = {}
        self._clean: dict[tuple[Kind, int, str], Cell] = {}
        self._widgets: dict[int, int] = {}
        for day in range(HISTORY):
            for kind, rows in self.rows(day).items():
                if kind != "return":
                    self._learn(kind, day, self.cell(kind, rows, self.sources["reject"]))

    def own(self, name: str) -> Step:
        """An own stage: leaves all as it is, but for its bugs."""

        def step(event: Event, occurred_ms: int) -> Event | Refuse:
            mine = [one for one in self.own_bugs if one.stage == name]
            field = refuses(mine, event, occurred_ms)
            if field is not None:
                return Refuse("no-size", field)
            return misbehave(mine, event, occurred_ms)

        return step

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
        name = (trial.kind, day, trial.rules)
        if name not in self._clean:
            self._clean[name] = self.cell(trial.kind, clean, self.sources[trial.rules])
        return self._clean[name]

    def trial_days(self, kind: Kind) -> list[int]:
        """The days on which a fault may be tried."""
        if kind not in self._usual_days:
            days = range(HISTORY, HISTORY + TRIAL_DAYS)
            self._usual_days[kind] = [day for day in days if self._is_usual(kind, day)]
        return self._usual_days[kind]

    def _is_usual(self, kind: Kind, day: int) -> bool:
        cell = self.cell(kind, self.rows(day)[kind], self.sources["reject"])
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
            if verdict.state == "unusual":
                departing.add(departing_name(reading.key))
        self.normals[kind] = learn_days(self.normals.get(kind, {}), days, departing)
        for feature, one in days.items():
            name = (kind, f"missing.{feature.removeprefix(LABEL)}", ALL)
            self.history.setdefault(name, []).append(missing_rate(one.last))
            for stage, given in one.beside.items():
                elsewhere = (*name[:2], STAGE_SEGMENT + stage)
                self.history.setdefault(elsewhere, []).append(missing_rate(given))

    def readings(self, kind: Kind, day: int, cell: Cell) -> Iterator[Reading]:
        """The KPIs of a day: those that need no segment, and the service's means and mixes."""
        start = self.settings.start_ms + day * DAY_MS
        place = Place(SHOP, kind, start, (3 + start // DAY_MS) % 7)
        yield measure.volume(place, cell.count)
        yield from measure.means(place, ALL, cell)
        yield from rates.mixes(place, EVENT_TYPES[kind], cell)
        yield rates.share(place, "marks", min(sum(cell.marks.values()), cell.count), cell.count)
        if cell.beside:
            for reading in measure.stages_elsewhere(place, cell):
                if not reading.key.kpi.startswith("missing."):
                    yield reading
        if kind == "purchase" and self.widgets(day) >= rates.RATIO_RECORDS:
            yield rates.share(place, RATIO, cell.count, self.widgets(day))

    def widgets(self, day: int) -> int:
        """Widget events of a day."""
        if day not in self._widgets:
            self._widgets[day] = len(self.rows(day)["widget-event"])
        return self._widgets[day]

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


def missing_rate(found: Moments) -> float:
    """Share of the records that lack a value."""
    return found.missing / max(found.n + found.missing, 1)
