"""Records that are taken abreast leave behind what each would by itself, whatever they are."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamwatch.domain.cells import Cell
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.rows import OneRow, TapRow, TapRows
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import Rule
from streamwatch.domain.statevalue import unpack
from streamwatch.domain.tap_settings import ColumnShape, Filter, TapSettings
from streamwatch.stages.clockcolumn import UNREADABLE, event_times_ms
from streamwatch.stages.when import event_time_ms
from streamwatch.steps.abreast import FEWEST
from streamwatch.steps.count import CountStep
from streamwatch.steps.countstate import METERS, PROGRESS, VERSION
from streamwatch.steps.sources import compile_sources
from streamwatch.steps.step import Outcome, Settled
from streamwatch.taps.recorder import Recorder

NOW = 1_788_256_800_000
HOUR = 3_600_000
KINDS = ("widget-event", "purchase", "return")

SETTINGS = Settings(
    rules=(
        Rule("tall", "widget-event", "height", range=(50, 250)),
        Rule("odd", "widget-event", "category", allowed=("dress", "shoes"), action="mark"),
        Rule("dear", "purchase", "price", range=(0, 5000), when={"currency": "EUR"}),
    ),
    horizon=24 * HOUR,
)
EVERYWHERE = ("decode", "validate", "normalise", "pseudonymise", "segment", "aggregate")
SOME = TapSettings("some", "widget-event", ("decode", "normalise"), sample=0.3)
WHOLE = TapSettings("whole", "widget-event", EVERYWHERE)
SHAPED = TapSettings(
    "shaped", "widget-event", EVERYWHERE, columns=("height", "category"), sample=0.6,
    shapes={"category": ColumnShape(rename="kind"), "height": ColumnShape(bucket=10)},
)  # fmt: skip
DRESSES = TapSettings(
    "dresses", "widget-event", ("validate", "segment"), filter=Filter(equals={"category": "dress"})
)
LIMITED = TapSettings("few", "widget-event", ("decode", "aggregate"), rate=2, budget=900)
RETURNED = TapSettings("returned", "return", EVERYWHERE, sample=0.5)
TAPS: Sequence[tuple[TapSettings, ...]] = (
    (), (SOME,), (WHOLE, RETURNED), (DRESSES, RETURNED), (SHAPED, SOME), (LIMITED, WHOLE)
)  # fmt: skip

FORMS = ("{0:%Y-%m-%dT%H:%M:%S}.{1:03d}Z", "{0:%Y-%m-%dT%H:%M:%S}.{1:03d}+00:00",
         "{0:%Y-%m-%dT%H:%M:%S}Z", "{0:%Y-%m-%d %H:%M:%S}+00:00")  # fmt: skip


def written(moment: int, form: str = FORMS[0]) -> str:
    return form.format(datetime.fromtimestamp(moment // 1000, UTC), moment % 1000)


FIELDS: dict[str, Sequence[Any]] = {
    "event_id": [*"abcdef", "", "x" * 201, "nul\0", 7],
    "shop": ["s", "s", "t", "mumbai", "new", "", "x" * 201],
    "time": ["soon", "2026-02-30T10:00:00Z", "2026-09-01T25:00:00Z", None, NOW, NOW / 1000,
             f"{NOW}", "1999-01-01T00:00:00Z", "2026-09-01T10:00:00"],
    "shopper": ["jane", None],
    "category": ["dress", " Dress", "SHOES", "", "gold", 'a"b:c\\', None],
    "gender": ["f", "Female", "m", None],
    "height": [170, 170.5, 20.0, 999, None, "tall", 1e300, "5'7"],
    "height_unit": ["cm", "in", "Inches.", "span", None],
    "weight": [70, 1e13, None],
    "weight_unit": ["kg", "lb", "stone ", None],
    "age": [30, -1, None],
    "size": ["xl", "XL ", None],
    "quantity": [1, 2.5, None],
    "price": [10, 99_999, None],
    "currency": ["EUR", " eur", "gold", None],
    "reason": ["too small", None],
    "product": ["p:1", None],
    "unknown": [1, "a:b"],
}  # fmt: skip
TEXTS = st.sampled_from(
    [None, b"", b"[]", b"{", b'{"event_id":"a","shop":"r","shop":"s"}', b'{"event_id":"a"}']
)


def sound(number: int) -> dict[str, Any]:
    """A record that no stage of its kind refuses, in one of two units."""
    inches = number % 5 == 0
    return {
        "event_id": f"e{number}", "shop": ("s", "t", "mumbai")[number % 3],
        "time": written(NOW - number * 60_000, FORMS[number % 3]),
        "height": 60 + number % 20 if inches else 160 + number % 20,
        "height_unit": "in" if inches else "cm", "category": ("dress", "shoes")[number % 2],
        "shopper": f"u{number % 4}", "quantity": 1, "price": 9.5 + number, "currency": "EUR",
    }  # fmt: skip


@st.composite
def odd_values(draw: st.DrawFn) -> bytes | None:
    """A payload that something is odd about."""
    if draw(st.integers(0, 9)) == 9:
        return draw(TEXTS)
    event = sound(draw(st.integers(0, 40)))
    if draw(st.booleans()):
        moment = NOW + draw(st.one_of(st.integers(-30, 3), st.integers(-2, 0))) * HOUR
        event["time"] = written(moment, draw(st.sampled_from(FORMS)))
    for name in draw(st.lists(st.sampled_from(list(FIELDS)), max_size=2)):
        event[name] = draw(st.sampled_from(FIELDS[name]))
    return json.dumps(event).encode()


def zone_of(shop: str) -> tzinfo:
    return ZoneInfo("Asia/Kolkata") if shop == "mumbai" else UTC


def outcomes(
    kind: str, slices: Sequence[Sequence[FileRecord]], *, abreast: bool, taps: Sequence[TapSettings]
) -> tuple[list[Outcome], Settled, Mapping[str, int], int, Any]:
    """What COUNT makes of the slices, in the one way or the other; last, what of observers."""
    recorder = Recorder(60_000, 10_000) if taps else None
    source = compile_sources(SETTINGS, taps, zone_of, b"k" * 32, {}, recorder)[kind]
    if not abreast:
        source = msgspec.structs.replace(source, abreast=None)
    step = CountStep(source, 0)
    state = step.restore({})
    found = [step.process(state, Slice(kind, 0, records), NOW) for records in slices]
    known = all(record.timestamp >= 0 for records in slices for record in records)
    kept = [recorder.of(shop) for shop in ("s", "t", "mumbai", "new") if recorder and known]
    observers = state.meters.readings, state.meters.withheld, kept
    return found, step.settle(state, 1, 0, NOW), state.newest, state.progress.arrival, observers


def rows_of(outcomes: Sequence[Outcome]) -> list[tuple[list[OneRow], list[TapRow]]]:
    """Of each slice its rows but those of taps, and those of taps by stage."""
    found = []
    for outcome in outcomes:
        others = [row for row in outcome.rows if not isinstance(row, TapRows)]
        taps = [row for rows in outcome.rows if isinstance(rows, TapRows) for row in rows]
        found.append((others, sorted(taps, key=lambda row: (row.stage, row.offset))))
    return found


def cells_of(settled: Settled) -> dict[str, Any]:
    return {
        key: msgspec.to_builtins(unpack(value, dict[str, Cell], VERSION, key))
        for key, value in settled.changes.items()
        if value is not None and key not in (PROGRESS, METERS)
    }


def alike(one: Any, other: Any) -> bool:
    """Equal, but for the order in which numbers were added."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float):
        return bool(one == pytest.approx(other, rel=1e-9, abs=1e-6))
    return bool(one == other)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    odd=st.lists(st.tuples(st.integers(0, FEWEST), odd_values()), max_size=14),
    arrivals=st.sampled_from(["known", "unknown", "some"]),
    taps=st.sampled_from(TAPS),
)
def test_records_taken_abreast_leave_behind_what_each_would_by_itself(
    kind: str, odd: list[tuple[int, bytes | None]], arrivals: str, taps: Sequence[TapSettings]
) -> None:
    payloads: list[bytes | None] = [json.dumps(sound(number)).encode() for number in range(FEWEST)]
    for at, value in odd:
        payloads.insert(at, value)
    records = []
    for offset, value in enumerate(payloads):
        known = arrivals == "known" or (arrivals == "some" and offset % 3)
        records.append(FileRecord(offset, value, NOW - 5_000 + offset if known else -1))
    slices = [records, [msgspec.structs.replace(one, offset=one.offset + 99) for one in records]]
    one = outcomes(kind, slices, abreast=True, taps=taps)
    other = outcomes(kind, slices, abreast=False, taps=taps)
    assert rows_of(one[0]) == rows_of(other[0])
    for outcomes_ in (one[0], other[0]):
        for outcome in outcomes_:
            outcome.rows = []
    assert one[0] == other[0]
    assert one[2:] == other[2:]
    assert cells_of(one[1]).keys() == cells_of(other[1]).keys()
    assert alike(cells_of(one[1]), cells_of(other[1]))


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.integers(-(10**15), 10**15),
            st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"),
            st.datetimes().map(lambda moment: moment.isoformat(timespec="microseconds") + "+05:30"),
            st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z"),
            st.text(max_size=30),
        ),
        min_size=1,
        max_size=40,
    )
)
@example(["2026-09-01T10:00:00.999600+23:59"] * 9)
def test_times_read_together_are_those_read_one_by_one(times: list[Any]) -> None:
    found = event_times_ms(times, ["s"] * len(times), zone_of)
    expected = [event_time_ms(time, zone_of, "s") for time in times]
    assert found.tolist() == [UNREADABLE if one is None else one for one in expected]
