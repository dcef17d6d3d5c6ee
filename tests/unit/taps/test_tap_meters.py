"""Limits, shedding and the flight recorder are plain functions of what came before."""

from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.events import Return
from streamwatch.domain.rows import RejectRow, Row, TapRow, TapRows
from streamwatch.taps.meters import Limit, Meters
from streamwatch.taps.recorder import ROW_BYTES, Recorder
from streamwatch.taps.shedding import next_share, shed
from streamwatch.taps.take import Where

WHERE = Where("return", "return", 0, 0)


def tap_row(event: int, stage: str = "decode", tap: str = "t") -> TapRow:
    return TapRow("return", stage, "return", 0, event, f"e-{event}", "s", None, 0, {}, tap)


@given(st.lists(st.integers(0, 5_000), max_size=50), st.integers(1, 5))
def test_no_more_than_the_rate_is_taken_in_any_second(arrivals: list[int], rate: int) -> None:
    meters, limit = Meters(), Limit(rate, None)
    seconds = [at // 1000 for at in sorted(arrivals) if meters.admits("t", limit, "s", at)]
    assert all(seconds.count(second) <= rate for second in seconds)
    assert len(seconds) + meters.withheld["t"] == len(arrivals)


def test_a_budget_may_be_passed_by_one_row_only() -> None:
    meters, limit = Meters(), Limit(None, 100)
    assert meters.admits("t", limit, "s", 0)
    meters.weigh("t", "s", 99)
    assert meters.admits("t", limit, "s", 1)
    meters.weigh("t", "s", 99)
    assert not meters.admits("t", limit, "s", 2)
    assert meters.admits("t", limit, "s", 86_400_000)


def test_meters_of_past_days_are_forgotten() -> None:
    meters = Meters()
    meters.admits("t", Limit(1, None), "old", 0)
    meters.admits("t", Limit(1, None), "new", 3 * 86_400_000)
    meters.forget(3 * 86_400_000)
    assert list(meters.readings["t"]) == ["new"]


@given(st.lists(st.floats(0, 10), max_size=60))
def test_the_share_stays_a_share_and_recovers(durations: list[float]) -> None:
    share = 1.0
    for seconds in durations:
        share = next_share(share, seconds, limit=2.0)
        assert 0.0 <= share <= 1.0
    for _ in range(25):
        share = next_share(share, 0.01, limit=2.0)
    assert share == 1.0


def test_slow_flushes_end_all_tap_rows_and_nothing_else() -> None:
    share = 1.0
    for _ in range(10):
        share = next_share(share, 5.0, limit=2.0)
    assert share == 0.0
    reject = RejectRow(
        "return", 0, 9, "return", "reject", "validate", "x", "", None, "s", None, 0, ""
    )
    rows: list[Row] = [*(tap_row(n) for n in range(10)), reject, tap_row(3, tap="kept,t")]
    kept, dropped = shed(rows, share, frozenset({"kept"}))
    assert kept == [reject, rows[-1]]
    assert dropped == {("return", "decode", "t"): 10}


def test_the_same_events_are_left_at_every_stage() -> None:
    rows: list[Row] = [tap_row(n, stage) for n in range(200) for stage in ("decode", "segment")]
    kept, _ = shed(rows, 0.5, frozenset())
    taps = [row for rows in kept if isinstance(rows, TapRows) for row in rows]
    by_stage = [
        {row.event_id for row in taps if row.stage == stage} for stage in ("decode", "segment")
    ]
    assert by_stage[0] == by_stage[1]
    assert 60 < len(by_stage[0]) < 140


def record(recorder: Recorder, shop: str, at: int) -> bool:
    if not recorder.is_due("return", shop, at):
        return False
    recorder.begin("return", shop, at)
    recorder.add(WHERE, "decode", Return(f"e-{at}", shop), (at, at, at), {"size": "M"})
    return True


def test_a_large_shop_does_not_push_a_small_one_out() -> None:
    recorder = Recorder(every=1_000, memory=100 * (ROW_BYTES + 20))
    assert record(recorder, "small", 0)
    taken = sum(record(recorder, "large", at) for at in range(0, 50_000, 10))
    assert taken == 50
    assert [row.offset for row in recorder.of("small")] == [0]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10_000)), max_size=100))
def test_the_recorder_keeps_within_its_memory_and_its_order(came: list[tuple[str, int]]) -> None:
    recorder = Recorder(every=100, memory=10 * ROW_BYTES)
    taken: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    for shop, at in came:
        if record(recorder, shop, at):
            taken[shop].append(at)
        assert recorder.bytes <= 10 * ROW_BYTES
    for shop, times in taken.items():
        held = [row.offset for row in recorder.of(shop)]
        assert held == times[len(times) - len(held) :]


def test_an_older_history_is_recorded_too() -> None:
    recorder = Recorder(every=1_000, memory=1_000_000)
    assert record(recorder, "s", 1_000_000)
    assert record(recorder, "s", 5)
