"""Whatever the stream: split, redelivered or interrupted, the same verdicts and incidents."""

from datetime import UTC
from itertools import pairwise

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamwatch.baselines import judging
from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.incidents import Incident
from streamwatch.domain.messages import Heartbeat, JudgeInput, Partial
from streamwatch.domain.readings import KpiKey, Reading, Span
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.rows import IncidentRow, VerdictRow
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict, warming
from streamwatch.steps.fleet import FleetStep
from streamwatch.steps.judge import JudgeStep

MONDAY = 1_704_067_200_000
STRICT = JudgingSettings(threshold=2.0, volume_effect=0.1, warmup_days=3)
TYPES = ("purchase", "widget-event")

Told = tuple[str, str, str, int, int, int]
Stream = list[Told]

partials = st.tuples(
    st.just("partial"),
    st.sampled_from(["shop-001", "shop-002"]),
    st.sampled_from(TYPES),
    st.integers(0, 12),
    st.integers(0, 3),
    st.integers(0, 400),
)
beats = st.tuples(
    st.just("beat"),
    st.just(""),
    st.sampled_from(TYPES),
    st.integers(0, 13),
    st.integers(0, 1),
    st.sampled_from([0, 0, 0, 5]),
)
messages = st.one_of(partials, beats, beats)
late = st.lists(st.tuples(st.integers(0, 79), messages), max_size=10)


def in_order_but_for(story: tuple[Stream, list[tuple[int, Told]]]) -> Stream:
    """Days in their order, with some messages anywhere: late records, old heartbeats."""
    ordered, strays = story
    stream = sorted(ordered, key=lambda message: message[3])
    for place, message in strays:
        stream.insert(place, message)
    return stream


streams = st.tuples(st.lists(messages, min_size=20, max_size=80), late).map(in_order_but_for)


def encoded(stream: Stream) -> list[bytes]:
    """Messages whose versions and sending times grow as COUNT's do."""
    values = []
    for version, (kind, shop, event_type, day, number, amount) in enumerate(stream):
        moment = MONDAY + day * DAY_MS + number * HOUR_MS
        if kind == "partial":
            numbers = {"quantity": Moments(amount, 1.0 + number, amount * 0.5)}
            cells = {ALL: Cell(count=amount, numbers=numbers)}
            message: JudgeInput = Partial(
                event_type, event_type, 0, shop, moment, version, moment, cells
            )
        else:
            message = Heartbeat(event_type, event_type, number, version, amount, moment, version)
        values.append(msgspec.msgpack.encode(message))
    return values


class Run:
    """JUDGE before FLEET, each with its stored state."""

    def __init__(self) -> None:
        self.judge = JudgeStep(STRICT, lambda _shop: UTC)
        self.fleet = FleetStep(STRICT)
        self.judge_stored: dict[str, bytes | None] = {}
        self.fleet_stored: dict[str, bytes | None] = {}
        self.judge_state = self.judge.restore({})
        self.fleet_state = self.fleet.restore({})
        self.verdicts: list[Verdict] = []
        self.incidents: list[Incident] = []

    def feed(self, values: list[bytes]) -> None:
        records = [FileRecord(offset=n, value=value) for n, value in enumerate(values)]
        judged = self.judge.process(self.judge_state, Slice("readings", 0, records), 0)
        self.verdicts += [row.verdict for row in judged.rows if isinstance(row, VerdictRow)]
        records = [FileRecord(offset=n, value=m.value) for n, m in enumerate(judged.messages)]
        found = self.fleet.process(self.fleet_state, Slice("verdicts", 0, records), 0)
        self.incidents += [row.incident for row in found.rows if isinstance(row, IncidentRow)]

    def restart(self) -> None:
        self.judge_stored |= self.judge.settle(self.judge_state, 0, 0, 0).changes
        self.fleet_stored |= self.fleet.settle(self.fleet_state, 0, 0, 0).changes
        self.judge_state = self.judge.restore(present(self.judge_stored))
        self.fleet_state = self.fleet.restore(present(self.fleet_stored))

    @property
    def result(self) -> tuple[list[Verdict], list[Incident]]:
        return self.verdicts, self.incidents


def present(stored: dict[str, bytes | None]) -> dict[str, bytes]:
    return {key: value for key, value in stored.items() if value is not None}


def run_whole(values: list[bytes]) -> Run:
    run = Run()
    run.feed(values)
    return run


@given(streams, st.lists(st.integers(0, 60), max_size=6))
@settings(max_examples=60)
def test_a_stream_split_and_restarted_anywhere_gives_the_same(
    stream: Stream, cuts: list[int]
) -> None:
    values = encoded(stream)
    whole = run_whole(values)
    parts = Run()
    edges = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    for start, end in pairwise(edges):
        parts.feed(values[start:end])
        parts.restart()
    assert parts.result == whole.result
    event(
        f"incidents: {bool(whole.incidents)}, revised: {any(v.version > 1 for v in whole.verdicts)}"
    )


@given(streams, st.data())
@settings(max_examples=60)
def test_redelivered_messages_change_nothing(stream: Stream, data: st.DataObject) -> None:
    values = encoded(stream)
    whole = run_whole(values)
    again = Run()
    for place in range(len(values)):
        again.feed(values[place : place + 1])
        earlier = data.draw(st.integers(0, place))
        again.feed(values[earlier : earlier + 1])
    assert again.result == whole.result


@given(streams)
@settings(max_examples=40)
def test_announced_verdicts_change_no_incident(stream: Stream) -> None:
    run = run_whole(encoded(stream))
    before = list(run.incidents)
    announced = run.judge.announce(run.judge_state, 0, 0)
    records = [FileRecord(offset=n, value=m.value) for n, m in enumerate(announced)]
    if records:
        run.fleet.process(run.fleet_state, Slice("verdicts", 0, records), 0)
    newest = {incident.id: incident for incident in before}
    for message in run.fleet.announce(run.fleet_state, 0, 0):
        told = msgspec.json.decode(message.value, type=Incident)
        assert told == newest[told.id]


numbers = st.floats(allow_nan=True, allow_infinity=True) | st.integers(0, 10**6).map(float)


@given(
    st.sampled_from(["volume", "mean.height"]),
    st.sampled_from(["day", "hour"]),
    st.lists(st.tuples(numbers, st.integers(0, 10**6), numbers), max_size=90),
)
@settings(max_examples=150)
def test_no_reading_breaks_a_baseline(
    kpi: str, span: Span, values: list[tuple[float, int, float]]
) -> None:
    """Whatever was read before, an ordinary reading gets an ordinary verdict."""
    key = KpiKey("shop-001", "purchase", kpi, span=span)
    baseline = judging.begin(key)
    decoder = msgspec.msgpack.Decoder(judging.Baseline)
    verdict = warming(Reading(key, 0, 0, 0.0, 0), "nothing read")
    for place, (value, n, variance) in enumerate([*values, (100.0, 100, 4.0)]):
        slot = place % (7 if span == "day" else 168)
        reading = Reading(key, place * HOUR_MS, slot, value, n, variance)
        verdict = judging.score(baseline, reading, STRICT)
        baseline = judging.learn(baseline, reading, verdict, STRICT)
        assert decoder.decode(msgspec.msgpack.encode(baseline)) == baseline
    assert abs(verdict.score) <= 40
    if verdict.lower is not None and verdict.expected is not None and verdict.upper is not None:
        assert verdict.lower <= verdict.expected <= verdict.upper < float("inf")
