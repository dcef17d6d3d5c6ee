"""Rules of domain experts: what keeps them, what breaks them, and what becomes of it."""

from datetime import UTC
from typing import Any, Literal

import pytest

from streamwatch.domain.events import (
    EVENT_TYPES,
    Received,
    ReceivedPurchase,
    ReceivedReturn,
    ReceivedWidgetEvent,
)
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import Rule
from streamwatch.stages.declared import compile_declared
from streamwatch.stages.underway import Underway
from streamwatch.stages.validate import compile_checks, compile_validate

NOW = 1_788_256_800_000
EventName = Literal["widget-event", "purchase", "return"]


def verdict(
    record: Received, *rules: Rule, event: EventName = "widget-event", required: Any = ()
) -> Underway | Refusal:
    kind = EVENT_TYPES[event]
    validate = compile_validate(
        kind, compile_checks(kind, rules, lambda _shop: UTC, None, required)
    )
    underway = Underway({}).set_out(record, compile_declared(kind)(record), NOW)
    refusal = validate(underway)
    return underway if refusal is None else refusal


def widget(**fields: Any) -> ReceivedWidgetEvent:
    return ReceivedWidgetEvent("a", "s", time=NOW, **fields)


HEIGHT = Rule("height-range", "widget-event", "height", range=(100, 230))
WEIGHT = Rule("weight-range", "widget-event", "weight", range=(20, 300))


@pytest.mark.parametrize(
    ("height", "unit", "holds"),
    [
        (170, None, True), (100, "cm", True), (230, "cm", True), (99.9, "cm", False),
        (70, "in", True), (70, " Inches ", True), (170, "in", False), (70, None, False),
        (1.7, "m", True), (1700, "mm", True), (6, "feet", True), (None, "cm", True),
    ],
)  # fmt: skip
def test_a_range_is_about_what_the_record_declares(
    height: float | None, unit: str | None, holds: bool
) -> None:
    found = verdict(widget(height=height, height_unit=unit), HEIGHT)
    broken = Refusal("reject", "validate", "height-range", "height")
    assert isinstance(found, Underway) if holds else found == broken


@pytest.mark.parametrize(
    ("unit", "holds"), [("pounds", True), ("lb", True), ("stone", False), ("g", False)]
)
def test_a_range_holds_for_every_spelling_of_a_unit(unit: str, holds: bool) -> None:
    found = verdict(widget(weight=150, weight_unit=unit), WEIGHT)
    assert isinstance(found, Underway) == holds


@pytest.mark.parametrize(
    ("rule", "fields", "holds"),
    [
        (Rule("r", "widget-event", "gender", required=True), {"gender": "f"}, True),
        (Rule("r", "widget-event", "gender", required=True), {"gender": ""}, False),
        (Rule("r", "widget-event", "gender", required=True), {}, False),
        (Rule("r", "widget-event", "height", required=True), {"height": 0.0}, True),
        (Rule("r", "widget-event", "height", required=True), {}, False),
        (Rule("r", "widget-event", "category", allowed=("kids",)), {"category": "kids"}, True),
        (Rule("r", "widget-event", "category", allowed=("kids",)), {"category": "men"}, False),
        (Rule("r", "widget-event", "category", allowed=("kids",)), {}, True),
        (Rule("r", "widget-event", "product", pattern="p-[0-9]+"), {"product": "p-12"}, True),
        (Rule("r", "widget-event", "product", pattern="p-[0-9]+"), {"product": "p-12x"}, False),
        (Rule("r", "widget-event", "product", pattern="p-[0-9]+"), {"product": "xp-1"}, False),
        (Rule("r", "widget-event", "product", pattern="p-[0-9]+"), {}, True),
        (Rule("r", "widget-event", "age", below="weight"), {"age": 30, "weight": 30.0}, True),
        (Rule("r", "widget-event", "age", below="weight"), {"age": 31, "weight": 30.0}, False),
        (Rule("r", "widget-event", "age", below="weight"), {"age": 31}, True),
    ],
)
def test_each_kind_of_rule(rule: Rule, fields: dict[str, Any], holds: bool) -> None:
    found = verdict(widget(**fields), rule)
    broken = Refusal("reject", "validate", "r", rule.field)
    assert isinstance(found, Underway) if holds else found == broken


KIDS = Rule("kids-height", "widget-event", "height", range=(50, 170), when={"category": "kids"})


@pytest.mark.parametrize(
    ("category", "height", "holds"),
    [("kids", 180, False), ("kids", 120, True), ("men", 180, True), (None, 180, True)],
)
def test_a_rule_applies_only_when_it_says(category: str | None, height: float, holds: bool) -> None:
    assert isinstance(verdict(widget(category=category, height=height), KIDS), Underway) == holds


def test_a_rule_that_only_marks_keeps_the_record() -> None:
    marking = Rule("tall", "widget-event", "height", range=(100, 190), action="mark")
    other = Rule("old", "widget-event", "age", range=(0, 99), action="mark")
    found = verdict(widget(height=200, age=120), marking, other)
    assert isinstance(found, Underway)
    assert found.marks == ("tall", "old")


def test_a_rejecting_rule_goes_before_a_mark() -> None:
    marking = Rule("tall", "widget-event", "height", range=(100, 190), action="mark")
    assert isinstance(verdict(widget(height=500), marking, HEIGHT), Refusal)


def test_rules_of_other_event_types_do_not_apply() -> None:
    record = ReceivedReturn("a", "s", time=NOW, quantity=500.0)
    rule = Rule("few", "purchase", "quantity", range=(1, 10))
    assert isinstance(verdict(record, rule, event="return"), Underway)
    bought = ReceivedPurchase("a", "s", time=NOW, quantity=500.0)
    assert isinstance(verdict(bought, rule, event="purchase"), Refusal)


def test_a_field_that_the_source_requires_must_be_there() -> None:
    refusal = verdict(widget(height=170), required=("height", "product"))
    assert refusal == Refusal("reject", "validate", "missing-product", "product")
