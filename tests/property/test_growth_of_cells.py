"""What a cell gained since a look is what was added to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.cells import Moments
from streamwatch.domain.growth import growth_of_counts, growth_of_moments

VALUES = st.lists(st.floats(0.1, 1_000), max_size=20)
COUNTS = st.dictionaries(st.integers(0, 9), st.integers(1, 99))


def moments_of(values: list[float], missing: int) -> Moments:
    total = Moments(missing=missing)
    for value in values:
        total += Moments(1, value)
    return total


@given(VALUES, VALUES, st.integers(0, 9), st.integers(0, 9))
def test_the_growth_of_moments_undoes_their_addition(
    old: list[float], new: list[float], lacked: int, lack: int
) -> None:
    before, more = moments_of(old, lacked), moments_of(new, lack)
    growth = growth_of_moments(before, before + more)
    assert (growth.n, growth.missing) == (more.n, more.missing)
    if more.n:
        assert growth.mean == pytest.approx(more.mean, rel=1e-6)
        assert growth.m2 == pytest.approx(more.m2, rel=1e-6, abs=1e-4)


@given(COUNTS, COUNTS)
def test_the_growth_of_counts_undoes_their_addition(
    old: dict[int, int], new: dict[int, int]
) -> None:
    total = {name: old.get(name, 0) + new.get(name, 0) for name in old | new}
    assert growth_of_counts(old, total) == new
