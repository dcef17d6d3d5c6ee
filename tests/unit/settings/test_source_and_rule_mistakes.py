"""Mistakes in the sources and in the rules of a settings file."""

from pathlib import Path

import pytest
from tests.unit.settings.written import RULE, SOURCE, mistakes


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (
            "    fields: {heigth: h}\n",
            "4:14: unknown key `heigth` in fields of source w; did you mean `height`?",
        ),
        (
            "    fields: {height: {pth: h}}\n",
            "4:23: unknown key `pth` in height in fields of source w; did you mean `path`?",
        ),
        ("    fields: {height: a..b}\n", "path of field `height` of source w must be keys joined"),
        ("    fields: {height: {path: a, constant: 1}}\n", "has both a path and a constant"),
        ("    fields: {height: {unit: cm, unit_path: u}}\n", "has both a unit and a unit_path"),
        ("    fields: {height: {unit: centi}}\n", "4:29: unknown unit `centi` in field `height`"),
        ("    fields: {height: {unit: kg}}\n", "there are: cm, ft, ft+in, in, m, mm"),
        (
            "    fields: {age: {unit: cm}}\n",
            "`age` of source w has no unit; only these have one: h",
        ),
        ("    fields: {height: {constant: tall}}\n", "is numeric; its constant must be a number"),
        ("    fields: {product: {constant: 5}}\n", "is text; put its constant in quotes"),
        ("    fields: {event_id: {constant: a}}\n", "differs from record to record"),
        ("    fields: {height: {unit: cm}, height_unit: u}\n", "the unit of `height` stands twice"),
        (
            "    required: [wieght]\n",
            "4:16: widget-event has no field `wieght` (required of source",
        ),
        (
            "    fields: {product: shopper}\n",
            "`product` of source w would be a copy of the shopper",
        ),
        (
            "    fields: {shopper: product}\n",
            "`product` of source w would be a copy of the shopper",
        ),
        ("    fields: {shopper: u.id, product: u.id}\n", "`product` of source w would be a copy"),
        ("    required: [shop]\n", "4:16: `shop` is required of every record"),
        ("    required: [age, age]\n", "4:21: `age` stands twice in required of source w"),
        ("    types: lax\n", "4:12: types of source w cannot be `lax`; there are: lenient, strict"),
        ("  - {topic: w, event: return}\n", "4:13: topic `w` is the source of two entries"),
        ("  - {topic: a b, event: return}\n", "4:13: topic `a b`: letters, digits, dots"),
        (
            "  - {topic: w.dlq, event: return}\n",
            "4:13: topic `w.dlq` is one that streamwatch itself",
        ),
        (
            "  - {topic: streamwatch.readings, event: return}\n",
            "topic `streamwatch.readings` is one that streamwatch itself writes",
        ),
        ("  - {topic: v}\n", "4:5: source v lacks `event`"),
        (
            "  - {topic: v, event: retrun}\n",
            "4:23: event of source v cannot be `retrun`; did you m",
        ),
    ],
)
def test_a_mistake_in_a_source_is_named(tmp_path: Path, lines: str, mistake: str) -> None:
    (found,) = mistakes(tmp_path, SOURCE + lines)
    assert found.startswith("streamwatch.yaml:4:")
    assert mistake in found


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (
            "    field: prise\n    range: [1, 2]\n",
            "4:12: purchase has no field `prise` (rule r); did",
        ),
        (
            "    field: price\n",
            "2:5: rule r must have exactly one of range, required, allowed, patt",
        ),
        ("    field: price\n    range: [1, 2]\n    required: true\n", "it has range and required"),
        ("    field: price\n    range: [2, 1]\n", "5:12: rule r: range must be [lowest, highest]"),
        ("    field: price\n    range: [1]\n", "5:12: range of rule r must be two numbers"),
        ("    field: price\n    range: [1, x]\n", "5:16: range of rule r, item 2 must be a number"),
        (
            "    field: size\n    range: [1, 2]\n",
            "4:12: rule r: range needs a numeric field (quanti",
        ),
        ("    field: price\n    allowed: ['1']\n", "4:12: rule r: allowed needs a text field; for"),
        ("    field: size\n    allowed: []\n", "5:14: rule r: allowed lists no value"),
        ("    field: size\n    pattern: '('\n", "5:14: rule r: pattern is no regular expression"),
        (
            f"    field: size\n    pattern: {'a' * 301}\n",
            "5:14: rule r: a pattern has 1 to 300 char",
        ),
        (
            "    field: price\n    below: quantty\n",
            "5:12: rule r: purchase has no numeric field `qu",
        ),
        ("    field: price\n    below: price\n", "5:12: rule r compares `price` with itself"),
        (
            "    field: size\n    required: true\n    when: {categry: a}\n",
            "6:12: when of rule r: purchase has no text field `categry`; did you mean `category`?",
        ),
        (
            "    field: size\n    required: true\n    when: {price: 3}\n",
            "6:12: when of rule r: purchase has no text field `price`",
        ),
        ("    field: time\n    required: true\n", "4:12: rule r: the time is checked by `horizon`"),
        (
            "    field: size\n    required: true\n  - {name: r, event: return, field: a}\n",
            "6:12: rule `r` stands twice; names are unique",
        ),
        (
            "    field: size\n    required: true\n    action: refuse\n",
            "6:13: action of rule r cannot be `refuse`",
        ),
        (
            "    field: size\n    requird: true\n",
            "5:5: unknown key `requird` in rule r; did you mean",
        ),
    ],
)
def test_a_mistake_in_a_rule_is_named(tmp_path: Path, lines: str, mistake: str) -> None:
    assert any(mistake in found for found in mistakes(tmp_path, RULE + lines))


def test_a_rule_name_must_do_as_a_reason_code(tmp_path: Path) -> None:
    text = "rules: [{name: Too Tall, event: return, field: size, required: true}]\n"
    (found,) = mistakes(tmp_path, text)
    assert "1:16: rule name `Too Tall`" in found
