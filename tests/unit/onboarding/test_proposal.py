"""What `init` proposes of records that look like this."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.onboarding.draft import Given
from streamwatch.onboarding.proposal import Proposal, Source
from streamwatch.onboarding.propose import propose
from streamwatch.onboarding.sample import sampled
from streamwatch.onboarding.text import settings_text

Row = dict[str, Any]


def widget(number: int, chance: random.Random) -> Row:
    return {
        "eventId": f"e-{number}",
        "storeId": f"store-{number % 5}",
        "occurredAt": f"2026-03-{1 + number % 28:02}T10:00:00Z",
        "customerId": f"c-{chance.randrange(300)}",
        "bodyHeight": chance.gauss(170, 9),
        "kilos": chance.gauss(72, 12),
        "sex": chance.choice(["f", "m"]),
    }


def purchase(number: int, chance: random.Random) -> Row:
    return {
        "Invoice": str(5000 + number // 3),
        "Sku": f"sku-{chance.randrange(90)}",
        "Qty": str(chance.choice([1, 1, 2, 3])),
        "UnitPrice": f"{chance.uniform(2, 90):.2f}",
        "Currency": chance.choice(["EUR", "EUR", "GBP"]),
        "OrderDate": f"2026-03-{1 + number % 28:02} 10:00:00",
        "Country": chance.choice(["France", "Spain"]),
    }


def proposed(
    make: Callable[[int, random.Random], Row], change: Callable[[Row], Row] = dict, **given: Any
) -> Proposal:
    chance = random.Random(7)  # noqa: S311  # data for a test
    rows = [change(make(number, chance)) for number in range(1_200)]
    return propose("records.jsonl", {"": sampled(rows)}, Given(**given))


def only(proposal: Proposal) -> Source:
    (source,) = proposal.sources
    return source


def paths(source: Source) -> dict[str, str | None]:
    return {one.field: one.mapping.path for one in source.fields}


def test_renamed_fields_of_a_widget_event_are_found() -> None:
    source = only(proposed(widget))
    assert (source.event, source.topic, source.lenient) == ("widget-event", "widget-event", False)
    assert paths(source) == {
        "event_id": "eventId",
        "shop": "storeId",
        "time": "occurredAt",
        "gender": "sex",
        "height": "bodyHeight",
        "weight": "kilos",
        "shopper": "customerId",
    }


def test_nested_fields_are_found_by_their_path() -> None:
    def nested(row: Row) -> Row:
        return {**row, "bodyHeight": None, "body": {"height": {"value": 1}, "h": row["bodyHeight"]}}

    assert paths(only(proposed(widget, nested)))["height"] == "body.h"


@pytest.mark.parametrize(
    ("factor", "unit"), [(1, None), (1 / 2.54, "in"), (0.01, "m"), (10, "mm"), (1 / 30.48, "ft")]
)
def test_the_unit_of_heights_is_told_by_their_values(factor: float, unit: str | None) -> None:
    source = only(proposed(widget, lambda row: {**row, "bodyHeight": row["bodyHeight"] * factor}))
    (height,) = [one for one in source.fields if one.field == "height"]
    assert height.mapping.unit == unit
    assert "median" in height.why


@pytest.mark.parametrize(
    ("factor", "unit"), [(1, None), (2.2046, "lb"), (1000, "g"), (0.157, "st")]
)
def test_the_unit_of_weights_is_told_by_their_values(factor: float, unit: str | None) -> None:
    source = only(proposed(widget, lambda row: {**row, "kilos": row["kilos"] * factor}))
    (weight,) = [one for one in source.fields if one.field == "weight"]
    assert weight.mapping.unit == unit


def test_feet_and_inches_are_a_unit() -> None:
    def in_feet(row: Row) -> Row:
        inches = round(row["bodyHeight"] / 2.54)
        return {**row, "bodyHeight": f"{inches // 12}'{inches % 12}"}

    proposal = proposed(widget, in_feet)
    (height,) = [one for one in only(proposal).fields if one.field == "height"]
    assert height.mapping.unit == "ft+in"
    assert "nan" not in settings_text(proposal)


def test_a_unit_beside_the_value_is_taken_instead_of_a_guess() -> None:
    source = only(proposed(widget, lambda row: {**row, "heightUnit": "cm"}))
    (height,) = [one for one in source.fields if one.field == "height"]
    assert (height.mapping.unit, height.mapping.unit_path) == (None, "heightUnit")


def test_a_shop_that_sends_another_unit_is_named() -> None:
    def one_in_inches(row: Row) -> Row:
        factor = 1 / 2.54 if row["storeId"] == "store-3" else 1
        return {**row, "bodyHeight": row["bodyHeight"] * factor}

    (note,) = only(proposed(widget, one_in_inches)).notes
    assert "height of store-3" in note
    assert "looks like in, that of the others like cm" in note


def test_text_numbers_make_a_source_lenient_and_lines_get_ids() -> None:
    proposal = proposed(purchase)
    source = only(proposal)
    assert (source.event, source.lenient, proposal.line_ids) == ("purchase", True, True)
    assert proposal.currencies == ("EUR", "GBP")
    assert proposal.zone_unknown
    assert paths(source)["shop"] == "Country"


def test_cancellations_among_purchases_are_told_by_their_beginning() -> None:
    def some_cancelled(row: Row) -> Row:
        if int(row["Invoice"]) % 20:
            return row
        return {**row, "Invoice": f"C{row['Invoice']}", "Qty": f"-{row['Qty']}"}

    proposal = proposed(purchase, some_cancelled)
    assert [source.event for source in proposal.sources] == ["purchase", "return"]
    assert proposal.split is not None
    assert (proposal.split.path, proposal.split.beginning, proposal.split.pure) == (
        "Invoice",
        "C",
        1,
    )


def test_records_without_a_shop_are_of_one_shop() -> None:
    source = only(proposed(widget, lambda row: {**row, "storeId": None}, shop="acme"))
    (shop,) = [one for one in source.fields if one.field == "shop"]
    assert shop.mapping.constant == "acme"


def test_a_time_in_a_foreign_order_is_named() -> None:
    source = only(proposed(widget, lambda row: {**row, "occurredAt": "31.12.2026 10:00"}))
    assert any("occurredAt" in note and "ISO 8601" in note for note in source.notes)


def test_a_topic_without_a_unique_field_is_told_so() -> None:
    proposal = proposed(purchase, can_number=False)
    assert not proposal.line_ids
    assert any("differs in every record" in note for note in only(proposal).notes)


def test_segments_and_rules_carry_their_statistics() -> None:
    proposal = proposed(widget)
    assert [one.label for one in proposal.segments] == ["gender"]
    ranges = {one.rule.field: one.rule.range for one in proposal.rules if one.rule.range}
    assert ranges == {"height": (100, 230), "weight": (25, 250)}
    (allowed,) = [one for one in proposal.rules if one.rule.allowed]
    assert (sorted(allowed.rule.allowed or ()), "%" in allowed.why) == (["f", "m"], True)
    assert {one.rule.action for one in proposal.rules} == {"mark"}


def test_a_value_of_a_record_cannot_break_the_file(tmp_path: Path) -> None:
    evil = "x\nsources: []\n# \u2028 \x85 \U0001f600"
    proposal = proposed(widget, lambda row: {**row, "sex": evil, evil: 1})
    file = tmp_path / "streamwatch.yaml"
    file.write_text(settings_text(proposal), encoding="utf-8")
    settings = load_settings(file, {})
    assert [source.event for source in settings.sources] == ["widget-event"]
    assert [rule.allowed for rule in settings.rules if rule.allowed] == [(evil,)]


def test_every_proposed_rule_has_a_name_that_the_settings_take(tmp_path: Path) -> None:
    fits = {0: "tight", 1: "loose", 2: "regular"}
    numbers = iter(range(10_000))
    proposal = proposed(widget, lambda row: {**row, "fitPreference": fits[next(numbers) % 3]})
    file = tmp_path / "streamwatch.yaml"
    file.write_text(settings_text(proposal), encoding="utf-8")
    allowed = [rule.field for rule in load_settings(file, {}).rules if rule.allowed]
    assert sorted(allowed) == ["fit_preference", "gender"]
