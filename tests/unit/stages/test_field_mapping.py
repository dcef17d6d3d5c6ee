"""Clients whose JSON looks different: where each field stands, and what passes for it."""

import json
from typing import Any, Literal

import pytest

from streamwatch.domain.events import Received, ReceivedReturn, ReceivedWidgetEvent
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import FieldMapping, SourceSettings
from streamwatch.stages.decode import compile_decode

EventName = Literal["widget-event", "purchase", "return"]


def decoded(
    given: dict[str, Any],
    fields: dict[str, FieldMapping] | None = None,
    event: EventName = "widget-event",
    types: Literal["strict", "lenient"] = "strict",
) -> Received | Refusal:
    source = SourceSettings("topic", event, types=types, fields=fields or {})
    return compile_decode(source)(json.dumps(given).encode())


def widget(given: dict[str, Any], **fields: FieldMapping) -> ReceivedWidgetEvent:
    event = decoded({"event_id": "a", "shop": "s", **given}, fields)
    assert isinstance(event, ReceivedWidgetEvent)
    return event


def test_a_renamed_field_is_read_under_the_clients_name() -> None:
    event = widget({"user_height_cm": 171}, height=FieldMapping(path="user_height_cm"))
    assert event.height == 171


def test_a_renamed_field_no_longer_stands_under_its_own_name() -> None:
    assert widget({"height": 171}, height=FieldMapping(path="tall")).height is None


def test_a_nested_field_is_followed() -> None:
    event = widget({"body": {"size": {"h": 171}}}, height=FieldMapping(path="body.size.h"))
    assert event.height == 171


@pytest.mark.parametrize("body", [None, {}, {"size": 5}, {"size": None}, "text", [1]])
def test_a_nested_field_that_is_not_there_is_missing(body: object) -> None:
    event = widget({"body": body}, height=FieldMapping(path="body.size.h"))
    assert event.height is None


def test_a_constant_stands_in_every_record() -> None:
    event = widget({"gender": "male"}, gender=FieldMapping(constant="female"))
    assert event.gender == "female"


def test_a_constant_shop_serves_a_client_that_never_names_it() -> None:
    mapping = {"shop": FieldMapping(constant="shop-001")}
    event = decoded({"event_id": "a"}, mapping)
    assert isinstance(event, ReceivedWidgetEvent)
    assert event.shop == "shop-001"


def test_a_unit_constant_goes_before_the_records_own_unit() -> None:
    given = {"height": 70, "height_unit": "cm"}
    assert widget(given, height=FieldMapping(unit="in")).height_unit == "in"


def test_the_unit_stands_where_the_mapping_says() -> None:
    given = {"h": {"value": 70, "unit": "in"}}
    event = widget(given, height=FieldMapping(path="h.value", unit_path="h.unit"))
    assert (event.height, event.height_unit) == (70, "in")


@pytest.mark.parametrize("renamed", [{}, {"product": FieldMapping(path="sku.id")}])
def test_a_whole_number_passes_for_an_id(renamed: dict[str, FieldMapping]) -> None:
    event = decoded({"event_id": 17, "shop": 4, "shopper": 99}, renamed)
    assert isinstance(event, ReceivedWidgetEvent)
    assert (event.event_id, event.shop, event.shopper) == ("17", "4", "99")


@pytest.mark.parametrize("wrong", [1.5, True, [], {}])
def test_nothing_but_text_and_whole_numbers_passes_for_an_id(wrong: object) -> None:
    refusal = decoded({"event_id": wrong, "shop": "s"})
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.field, refusal.shop) == ("wrong-type", "event_id", "s")


@pytest.mark.parametrize(
    ("text", "inches"),
    [
        ("5'11\"", 71),
        ("5'11", 71),
        ("5' 11.5\"", 71.5),
        ("5\u203211\u2033", 71),
        ("5 ft 11 in", 71),
        ("5ft11in.", 71),
        ("5 feet 11 inches", 71),
        ("6'", 72),
        ("6 FT", 72),
    ],
)
def test_a_height_in_feet_and_inches_is_read(text: str, inches: float) -> None:
    event = widget({"height": text, "height_unit": "ft"})
    assert (event.height, event.height_unit) == (inches, "in")


def test_feet_and_inches_in_text_go_before_a_unit_constant() -> None:
    event = widget({"height": "5'11"}, height=FieldMapping(unit="cm"))
    assert (event.height, event.height_unit) == (71, "in")


@pytest.mark.parametrize(
    "text", ["tall", "170 cm", "", "'11", "111'", "\u0665'\u0661\u0661", "\uff11\uff17\uff10"]
)
def test_other_text_is_no_height(text: str) -> None:
    refusal = decoded({"event_id": "a", "shop": "s", "height": text})
    assert refusal == Refusal("reject", "decode", "wrong-type", "height", "a", "s")


@pytest.mark.parametrize("text", ["171", "171.0", "1.71e2"])
def test_lenient_types_read_numbers_from_text(text: str) -> None:
    event = decoded({"event_id": "a", "shop": "s", "height": text}, types="lenient")
    assert isinstance(event, ReceivedWidgetEvent)
    assert event.height == 171


@pytest.mark.parametrize("text", ["", "tall", "1,71", "0x10", "\uff11\uff17\uff10"])
def test_lenient_types_still_refuse_what_is_no_number(text: str) -> None:
    refusal = decoded({"event_id": "a", "shop": "s", "height": text}, types="lenient")
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.field) == ("wrong-type", "height")


def test_two_fields_may_stand_at_one_place() -> None:
    event = widget({"sku": "p-1"}, product=FieldMapping(path="sku"), category=FieldMapping("sku"))
    assert event.product == event.category == "p-1"


@pytest.mark.parametrize("path", ["order_id", "reason"])
def test_where_the_shopper_stands_no_other_field_is_read(path: str) -> None:
    given = {"event_id": "a", "shop": "s", path: "zz-jane"}
    event = decoded(given, {"shopper": FieldMapping(path=path)}, event="return")
    assert isinstance(event, ReceivedReturn)
    assert event.shopper == "zz-jane"
    assert (event.order_id, event.reason) == (None, None)


def test_fields_within_a_nested_shopper_are_not_read() -> None:
    given = {"user": {"id": "zz-jane"}}
    event = widget(
        given, shopper=FieldMapping(path="user.id"), product=FieldMapping(path="user.id")
    )
    assert (event.shopper, event.product) == ("zz-jane", None)
