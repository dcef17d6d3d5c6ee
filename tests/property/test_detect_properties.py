import math
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from streamwatch.series.detector import Detector
from streamwatch.series.points import Judged, Kind, sensitivity

START = 1_700_000_000_000
LIMITS = sensitivity(1.0)
steps = st.sampled_from([60_000, 300_000, 1_800_000, 3_600_000, 86_400_000, 7 * 86_400_000])
numbers = st.one_of(
    st.integers(0, 500).map(float),
    st.floats(-1e6, 1e6),
    st.sampled_from([0.0, math.nan, math.inf, -math.inf, 1e12, -1e12, 1e308, 5e-324]),
)
kinds = st.sampled_from([None, "count", "value"])


def judged(rows: Sequence[tuple[int | None, float]], kind: Kind | None) -> list[Judged]:
    detector = Detector(LIMITS, kind)
    return [detector.judge(time, value) for time, value in rows]


@settings(max_examples=60, deadline=None)
@given(
    step=steps,
    kind=kinds,
    values=st.lists(numbers, max_size=120),
    later=st.lists(numbers, max_size=40),
)
def test_a_rows_verdict_never_depends_on_later_rows(
    step: int, kind: Kind | None, values: list[float], later: list[float]
) -> None:
    rows = [(START + place * step, value) for place, value in enumerate(values + later)]
    assert judged(rows, kind)[: len(values)] == judged(rows[: len(values)], kind)


@settings(max_examples=150, deadline=None)
@given(
    kind=kinds,
    rows=st.lists(
        st.tuples(st.one_of(st.none(), st.integers(-(10**15), 10**15)), numbers), max_size=80
    ),
)
def test_no_row_raises_and_every_row_without_a_verdict_has_a_reason(
    kind: Kind | None, rows: list[tuple[int | None, float]]
) -> None:
    for one in judged(rows, kind):
        if one.state in ("warming", "skipped"):
            assert one.reason
            assert (one.score, one.expected, one.lower, one.upper) == (None,) * 4
        else:
            check_verdict(one)


@settings(max_examples=40, deadline=None)
@given(
    step=steps,
    kind=kinds,
    values=st.lists(st.one_of(numbers, st.just(7.0)), min_size=60, max_size=100),
    repeats=st.integers(1, 8),
)
def test_scores_lie_in_0_to_1_and_bands_hold_the_expectation(
    step: int, kind: Kind | None, values: list[float], repeats: int
) -> None:
    long = values * repeats
    for one in judged([(START + n * step, v) for n, v in enumerate(long)], kind):
        if one.score is not None:
            check_verdict(one)


def check_verdict(one: Judged) -> None:
    assert one.score is not None
    assert one.expected is not None
    assert one.lower is not None
    assert one.upper is not None
    assert 0 <= one.score <= 1
    assert all(math.isfinite(number) for number in (one.expected, one.lower, one.upper))
    assert one.lower <= one.expected <= one.upper
    assert one.state == "unusual" or one.score < 0.5
