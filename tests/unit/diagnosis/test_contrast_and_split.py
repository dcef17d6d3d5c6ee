"""What affected records share, and how a shift splits into mix and value."""

import math

from hypothesis import given
from hypothesis import strategies as st

from streamwatch.diagnosis.contrast import shared_by_changes, shared_by_means, shared_by_rows
from streamwatch.diagnosis.mixvalue import split
from streamwatch.diagnosis.paired import Pair, paired
from streamwatch.domain.cells import Group, Transition

GROUPS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.builds(Group, st.integers(1, 1000), st.floats(1, 200)),
    min_size=1,
)


@given(before=GROUPS, now=GROUPS)
def test_mix_and_value_are_the_whole_shift(before: dict[str, Group], now: dict[str, Group]) -> None:
    def mean(groups: dict[str, Group]) -> float:
        return sum(g.n * g.mean for g in groups.values()) / sum(g.n for g in groups.values())

    found = split(before, now)
    assert found is not None
    assert math.isclose(found.mix + found.value, mean(now) - mean(before), abs_tol=1e-9)
    back = split(now, before)
    assert back is not None
    assert math.isclose(back.value, -found.value, abs_tol=1e-9)


def test_a_change_of_mix_alone_is_no_change_of_value() -> None:
    before = {"men": Group(50, 180.0), "women": Group(50, 166.0)}
    found = split(before, {"men": Group(10, 180.0), "women": Group(90, 166.0)})
    assert found is not None
    assert found.value == 0
    assert math.isclose(found.mix, -5.6)


def test_nothing_on_one_side_has_no_split() -> None:
    assert split({}, {"a": Group(1, 1.0)}) is None


def test_the_version_that_broke_is_told() -> None:
    groups = {"4.1.0": Group(300, 170.0), "4.2.0": Group(300, 170.0), "5.0.0": Group(400, 67.0)}
    changes = {"5.0.0": Transition(390, -40_000.0)}
    found = shared_by_changes("app_version", groups, changes)
    assert [(one.value, one.support) for one in found] == [("5.0.0", 1.0)]
    assert math.isclose(found[0].lift, 390 / 400 / 0.39)


def test_the_version_that_a_client_broke_is_told_by_means() -> None:
    before = {"4.2.0": Group(3000, 170.0), "5.0.0": Group(3000, 170.0)}
    now = {"4.2.0": Group(100, 170.2), "5.0.0": Group(100, 66.9)}
    found = shared_by_means("app_version", before, now, 170 / 2.54 - 170)
    assert [one.value for one in found] == ["5.0.0"]


def test_a_fault_of_all_records_has_no_common_trait() -> None:
    groups = {"4.2.0": Group(300, 67.0), "5.0.0": Group(400, 67.0)}
    changes = {"4.2.0": Transition(300, -1.0), "5.0.0": Transition(400, -1.0)}
    assert shared_by_changes("app_version", groups, changes) == []


def test_a_few_affected_records_tell_nothing() -> None:
    hit = [{"app_version": "5.0.0"}] * 3
    assert shared_by_rows(hit, [{"app_version": "4.2.0"}] * 50) == []


def test_a_lost_value_counts_as_changed_and_the_first_is_told() -> None:
    rows = [Pair("t", 0, n, f"e{n}", n, 170.0, None if n >= 5 else 170.0) for n in range(10)]
    found = paired(rows)
    assert (found.records, found.changed, found.ratio) == (10, 5, None)
    assert found.first is not None
    assert found.first.offset == 5
