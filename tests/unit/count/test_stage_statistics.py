"""Statistics after every stage: a stage that changes what it should not is seen there."""

from collections.abc import Callable
from typing import Any

import pytest

from streamwatch.adapters.stage_bugs import misbehaving
from streamwatch.domain.cells import ALL, Cell, Cells, Group, Transition
from streamwatch.domain.settings import Settings
from streamwatch.simulation.stagebug import StageBug
from streamwatch.stages.bounds import MOST_GROUPS, OTHER, add_cells
from streamwatch.steps.count import CountStep

POINTS = ("decode", "validate", "normalise", "pseudonymise", "segment")
Widget = Callable[..., bytes]


@pytest.mark.parametrize("stage", POINTS[1:])
def test_the_first_stage_behind_which_a_mean_is_off_is_the_broken_one(
    counting: Callable[..., Any], widget: Widget, stage: str
) -> None:
    count = counting()
    bug = StageBug(stage, "shop-001", 0, 2**62, factor=0.5)
    count.step = CountStep(misbehaving(count.step.source, [bug]), 3)
    count.state = count.step.restore({})
    count.feed(*(widget(event_id=f"e-{n}") for n in range(4)))
    count.settle()
    cell = next(iter(count.partials.values())).cells[ALL]
    means = [cell.stages[point]["height"].mean for point in POINTS]
    place = POINTS.index(stage)
    assert means == [170.0] * place + [85.0] * (len(POINTS) - place)
    assert cell.transitions == {stage: {"height": Transition(4, -340.0)}}


def test_groups_tell_the_affected_records_from_the_others(
    counting: Callable[..., Any], widget: Widget
) -> None:
    count = counting()
    bug = StageBug("normalise", "shop-001", 0, 2**62, factor=0.5, app_version="5.0.0")
    count.step = CountStep(misbehaving(count.step.source, [bug]), 3)
    count.state = count.step.restore({})
    versions = ("4.2.0", "5.0.0", "5.0.0")
    count.feed(*(widget(event_id=f"e-{n}", app_version=v) for n, v in enumerate(versions)))
    count.settle()
    cell = next(iter(count.partials.values())).cells[ALL]
    groups = cell.groups["app_version"]
    assert groups["4.2.0"]["height"] == Group(1, 170.0)
    assert groups["5.0.0"]["height"] == Group(2, 85.0)
    assert cell.group_changes["app_version"] == {"5.0.0": {"height": Transition(2, -170.0)}}
    assert cell.groups["gender,category"]["female,"]["height"].n == 3


def test_groups_are_bounded_and_lose_no_record() -> None:
    whole = Cell()
    held: Cells = {ALL: whole}
    for number in range(MOST_GROUPS + 20):
        groups = {"app_version": {f"v{number}": {"height": Group(2, 170.0)}}}
        changes = {"app_version": {f"v{number}": {"height": Transition(1, -1.0)}}}
        add_cells(held, {ALL: Cell(groups=groups, group_changes=changes)})
    found = whole.groups["app_version"]
    assert len(found) <= MOST_GROUPS + 1
    assert sum(of["height"].n for of in found.values()) == 2 * (MOST_GROUPS + 20)
    assert found[OTHER]["height"].mean == pytest.approx(170.0)
    changed = whole.group_changes["app_version"]
    assert sum(of["height"].changed for of in changed.values()) == MOST_GROUPS + 20


def test_the_own_defaults_have_no_bug(counting: Callable[..., Any]) -> None:
    source = counting(Settings()).step.source
    assert misbehaving(source, []) is source
