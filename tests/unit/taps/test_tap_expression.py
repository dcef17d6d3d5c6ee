"""A filter in words: what it takes, what it refuses and where it says so."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.adapters.settings.tap_files import load_taps
from streamwatch.domain.events import WIDGET_EVENT, WidgetEvent
from streamwatch.domain.settings import Settings
from streamwatch.domain.tap_settings import Filter
from streamwatch.errors import ConfigurationError
from streamwatch.taps.expression import parse
from streamwatch.taps.filter import compile_filter, filter_fields
from streamwatch.taps.tokens import ExpressionError

EVENT = WidgetEvent("a", "shop-001", height=95.0, weight=60.0, gender="female", app_version="5.0.0")
START = "event: widget-event\nafter: [decode]\n"


def taken(expression: str, event: WidgetEvent = EVENT) -> bool:
    return compile_filter(Filter(expression=expression), WIDGET_EVENT)(event)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("height < 100 and shop in ('shop-001', 'shop-002') and app_version == '5.0.0'", True),
        ("height < 95", False),
        ("height <= 95", True),
        ("95 >= height", True),
        ("height > 9.4e1", True),
        ("height == 95", True),
        ("height != 95", False),
        ("height in (95, 96)", True),
        ("height not in (95, 96)", False),
        ("gender not in ('male')", True),
        ('gender == "female"', True),
        ("age is missing", True),
        ("age is not missing", False),
        ("not age is missing", False),
        ("height is not missing", True),
        ("height > weight", True),
        ("age > 0 or weight == 60", True),
        ("gender == 'male' or height < 100 and weight > 100", False),
        ("(gender == 'male' or height < 100) and weight == 60", True),
        ("not (gender == 'male' or height > 100)", True),
        ("NOT gender == 'male' AND height < 100", True),
        ("height > -1", True),
        ("app_version == 'it\\'s'", False),
    ],
)
def test_an_expression_takes_what_it_says(expression: str, expected: bool) -> None:
    assert taken(expression) is expected


@pytest.mark.parametrize(
    "expression", ["age < 50", "age >= 50", "age == 50", "age != 50", "age in (50)", "age > height",
                   "age not in (50)", "category == 'a'", "category != 'a'"],
)  # fmt: skip
def test_a_field_without_a_value_meets_no_comparison(expression: str) -> None:
    assert taken(expression) is False


@pytest.mark.parametrize(
    ("expression", "at", "text"),
    [
        ("heigth < 100", 0, "no field is called `heigth`; did you mean `height`?"),
        ("height = 100", 7, "write == to compare"),
        ("height < 100 && age > 1", 13, "write `and`"),
        ("height < '100'", 9, "take the quotes off"),
        ("gender == female", 10, "no field is called `female`"),
        ("gender == 5", 10, "put text in quotes"),
        ("app_version == 5.0.0", 15, "`5.0.0` is no number; put text in quotes"),
        ("gender < 'm'", 7, "texts have no order"),
        ("height <", 8, "missing before the end"),
        ("height", 6, "a comparison is missing here"),
        ("height < 100 age > 1", 13, "join conditions by `and` or `or`"),
        ("(height < 100", 13, "`)` is missing"),
        ("height in 100", 10, "a list in parentheses"),
        ("height in (100", 14, "separated by commas"),
        ("height in (weight)", 11, "a list holds numbers and quoted texts only"),
        ("height is 5", 10, "after `is` comes `missing`"),
        ("height not 5", 11, "`in` is missing after `not`"),
        ("1 < 2", 0, "two constants are compared"),
        ("1 < height < 2", 11, "comparisons do not chain"),
        ("gender == 'x", 10, "this text has no end"),
        ("shopper == 'anna'", 0, "a filter by person is not possible"),
        ("time == 'x'", 0, "cannot ask for the time"),
        ("", 0, "the filter says nothing"),
        ("__import__('os')", 0, "no field is called `__import__`"),
        ("height.real < 1", 6, "is no number"),
        ("(" * 60 + "height < 1" + ")" * 60, 40, "nested deeper"),
        ("not " * 60 + "height < 1", 160, "nested deeper"),
    ],
)
def test_a_mistake_is_named_with_its_place(expression: str, at: int, text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(expression, filter_fields(WIDGET_EVENT))
    assert text in str(caught.value)
    assert caught.value.at == at


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("filter: height < 100 and heigth > 1\n", "3:26"),
        ('filter: "height < 100 and heigth > 1"\n', "3:27"),
        ("filter: 'shop == ''a'' and heigth > 1'\n", "3:28"),
        ("filter: >\n  height < 100\n  and heigth > 1\n", "5:7"),
        ("filter: |-  # in lines\n  height < 100\n\n  and heigth > 1\n", "6:7"),
        ("filter: height < 100\n  and heigth > 1\n", "4:7"),
        ("filter:\n  expression: heigth > 1\n", "4:15"),
    ],
)
def test_the_place_in_the_file_is_that_of_the_wrong_word(
    tmp_path: Path, lines: str, place: str
) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(START + lines, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_taps(tmp_path, Settings())
    assert f"one.yaml:{place}: filter: no field is called `heigth`" in str(caught.value)


@given(st.text(max_size=60) | st.from_regex(r"[a-z0-9 ()<>=!,.']{0,60}", fullmatch=True))
def test_any_text_is_either_a_condition_or_refused_with_a_place(text: str) -> None:
    answer: bool | int
    try:
        answer = taken(text) if text else False
    except ExpressionError as error:
        answer = error.at
    assert 0 <= answer <= len(text)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.sampled_from(["<", "<=", "==", ">=", ">"]))
def test_numbers_compare_as_numbers_do(value: float, limit: float, sign: str) -> None:
    event = WidgetEvent("a", "s", height=value)
    limit = float(f"{limit:.6f}")
    expected = {
        "<": value < limit, "<=": value <= limit, "==": value == limit,
        ">=": value >= limit, ">": value > limit,
    }[sign]  # fmt: skip
    assert taken(f"height {sign} {limit:.6f}", event) is expected
