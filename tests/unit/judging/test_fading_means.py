"""The fading mean is River's weighted mean, begun again with the faded weight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import stats

from streamwatch.baselines.forgetting import FadingMean

values = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(values, st.floats(0.01, 10.0)), min_size=1, max_size=20))
def test_it_is_rivers_mean_with_a_faded_weight(readings: list[tuple[float, float]]) -> None:
    ours = FadingMean()
    for value, weight in readings:
        theirs = stats.Mean()
        if ours.weight:
            theirs.update(ours.mean, ours.weight * 0.9)
        theirs.update(value, weight)
        ours = ours.learn(value, weight, 0.9)
        assert ours.mean == pytest.approx(theirs.get(), rel=1e-9, abs=1e-6)
        assert ours.weight == pytest.approx(theirs.n)


def test_no_weight_teaches_nothing_but_forgets() -> None:
    assert FadingMean(5.0, 10.0).learn(99.0, 0.0, 0.5) == FadingMean(5.0, 5.0)
