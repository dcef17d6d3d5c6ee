"""What a stage makes of a label is counted where it happens; what only spells it anew is not."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from streamwatch.adapters.stage_bugs import misbehaving
from streamwatch.domain.cells import ALL, ARROW, Cell
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import StageSettings
from streamwatch.simulation.stagebug import StageBug
from streamwatch.stages.relabelled import MOST_CHANGES
from streamwatch.steps.count import CountStep

POINTS = ("validate", "normalise", "pseudonymise", "segment")
Widget = Callable[..., bytes]


def changes_of(count: Any) -> dict[str, dict[str, dict[str, int]]]:
    count.settle()
    total = Cell()
    for partial in count.partials.values():
        total.merge(partial.cells[ALL])
    return total.label_changes


def broken(count: Any, *bugs: StageBug) -> Any:
    count.step = CountStep(misbehaving(count.step.source, bugs), 3)
    count.state = count.step.restore({})
    return count


@pytest.mark.parametrize("stage", POINTS)
def test_a_stage_that_changes_a_label_is_the_one_that_is_counted(
    counting: Callable[..., Any], widget: Widget, stage: str
) -> None:
    bug = StageBug(stage, "shop-001", 0, 2**62, field="category", effect="relabel", word="hats")
    count = broken(counting(), bug)
    count.feed(*(widget(event_id=f"e-{n}", category="Shoes ") for n in range(4)))
    assert changes_of(count) == {stage: {"category": {f"shoes{ARROW}hats": 4}}}


@pytest.mark.parametrize("stage", POINTS)
def test_a_stage_that_loses_a_label_is_counted_too(
    counting: Callable[..., Any], widget: Widget, stage: str
) -> None:
    bug = StageBug(stage, "shop-001", 0, 2**62, field="gender", effect="lose")
    count = broken(counting(), bug)
    count.feed(widget(event_id="a", gender="W"), widget(event_id="b", gender="male"))
    expected = {f"female{ARROW}": 1, f"male{ARROW}": 1}
    assert changes_of(count) == {stage: {"gender": expected}}


def test_two_stages_are_told_apart(counting: Callable[..., Any], widget: Widget) -> None:
    first = StageBug("normalise", "shop-001", 0, 2**62, field="category", effect="lose")
    second = StageBug(
        "segment", "shop-001", 0, 2**62, field="gender", effect="relabel", word="unisex"
    )
    count = broken(counting(), first, second)
    count.feed(widget(event_id="a", category="shoes", gender="f"))
    assert changes_of(count) == {
        "normalise": {"category": {f"shoes{ARROW}": 1}},
        "segment": {"gender": {f"female{ARROW}unisex": 1}},
    }


def test_another_spelling_is_no_change(counting: Callable[..., Any], widget: Widget) -> None:
    count = counting()
    spelt = {"category": " SHOES", "gender": " Woman ", "recommended_size": "xl"}
    count.feed(widget(event_id="a", **spelt), widget(event_id="b", gender="x"))
    count.feed(widget(event_id="c", gender=None, category="  "))
    assert changes_of(count) == {}


def test_an_own_stage_counts_under_its_name(counting: Callable[..., Any], widget: Widget) -> None:
    settings = Settings(stages=(StageSettings("sizing", "mine:size", "normalise"),))
    count = counting(
        settings, own={"sizing": lambda event, _: replace(event, recommended_size="XL")}
    )
    count.feed(widget(event_id="a", recommended_size="m"))
    assert changes_of(count) == {"sizing": {"recommended_size": {f"M{ARROW}XL": 1}}}


def test_words_without_end_take_bounded_space(counting: Callable[..., Any], widget: Widget) -> None:
    settings = Settings(stages=(StageSettings("random", "mine:size", "normalise"),))
    numbers = iter(range(1000))
    count = counting(
        settings, own={"random": lambda event, _: replace(event, category=f"c{next(numbers)}")}
    )
    count.feed(*(widget(event_id=f"e-{n}", category="shoes") for n in range(300)))
    (kinds,) = (labels["category"] for labels in changes_of(count).values())
    assert len(kinds) == MOST_CHANGES + 1
    assert sum(kinds.values()) == 300


@pytest.mark.parametrize("after", ["decode", "validate"])
def test_an_own_stage_before_normalise_is_not_blamed_for_what_normalise_does(
    counting: Callable[..., Any], widget: Widget, after: str
) -> None:
    settings = Settings(stages=(StageSettings("sizing", "mine:size", after),))
    count = counting(settings, own={"sizing": lambda event, _: replace(event, height=1.0)})
    lost = StageBug("normalise", "shop-001", 0, 2**62, field="gender", effect="lose")
    count = broken(count, lost)
    count.feed(widget(gender=" F "), widget(event_id="b", gender="female", category=" SHOES"))
    assert changes_of(count) == {"normalise": {"gender": {f"female{ARROW}": 2}}}
