"""The quick ways of the stages say what the slow ones say."""

import json
from datetime import UTC
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.events import WIDGET_EVENT, ReceivedWidgetEvent
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import Rule, SourceSettings
from streamwatch.stages.decode import compile_decode
from streamwatch.stages.rules import compile_rule
from streamwatch.stages.underway import Underway
from streamwatch.stages.validate import compile_checks, compile_validate

NOW = 1_788_256_800_000
DECODE = compile_decode(SourceSettings("widget-event", "widget-event"))

KEYS = st.sampled_from(
    ["height", "weight", "time", "gender", "category", "note", "ti\\u006de", "x:y", 'a\\":b']
)
SPACES = st.sampled_from(["", "", "", " ", "  ", "\t", "\n"])
SCALARS = st.sampled_from(
    ["null", "1", "170.5", '"10:00:00"', '"\\u003a"', '":"', '"a\\":b"', '""']
)


@st.composite
def objects(draw: st.DrawFn, depth: int = 1) -> str:
    """A JSON object of any keys, some of them twice, with spaces anywhere."""
    pairs = []
    for _ in range(draw(st.integers(0, 5))):
        nested = depth and draw(st.integers(0, 5)) == 0
        value = draw(objects(depth - 1)) if nested else draw(SCALARS)
        if nested and draw(st.booleans()):
            value = f"[{value},{value}]"
        pairs.append(f'"{draw(KEYS)}"{draw(SPACES)}:{draw(SPACES)}{value}')
    if depth:
        pairs[draw(st.integers(0, len(pairs))) : 0] = ['"event_id":"a"', '"shop":"s"']
    return "{" + f"{draw(SPACES)},{draw(SPACES)}".join(pairs) + "}"


def is_doubled(text: str) -> bool:
    doubled = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        doubled = doubled or len({key for key, _ in items}) < len(items)
        return dict(items)

    json.loads(text, object_pairs_hook=pairs)
    return doubled


@given(objects())
def test_a_doubled_key_is_found_wherever_it_stands(text: str) -> None:
    found = DECODE(text.encode())
    refused = isinstance(found, Refusal) and found.reason == "doubled-key"
    assert refused == is_doubled(text)


NUMBERS = st.one_of(st.none(), st.integers(-5, 15).map(float))
LIMITS = st.tuples(st.integers(-3, 5), st.integers(5, 12))


@st.composite
def rules(draw: st.DrawFn) -> tuple[Rule, ...]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        when = {"gender": "female"} if draw(st.integers(0, 3)) == 0 else {}
        action: Literal["reject", "mark"] = draw(st.sampled_from(["reject", "mark"]))
        field = draw(st.sampled_from(WIDGET_EVENT.numbers))
        found.append(
            Rule(
                f"rule-{number}",
                "widget-event",
                field,
                range=draw(LIMITS),
                when=when,
                action=action,
            )
        )
    if draw(st.booleans()):
        kinds = Rule("kinds", "widget-event", "category", allowed=("a", "b"), action="mark")
        found.insert(draw(st.integers(0, len(found))), kinds)
    return tuple(found)


@given(
    asked=rules(),
    declared=st.tuples(NUMBERS, NUMBERS, NUMBERS),
    texts=st.tuples(st.sampled_from(["a", "z", None]), st.sampled_from(["female", "male"])),
)
def test_rules_asked_together_say_what_each_says(
    asked: tuple[Rule, ...],
    declared: tuple[float | None, float | None, float | None],
    texts: tuple[str | None, str],
) -> None:
    event = ReceivedWidgetEvent("e", "s", NOW, category=texts[0], gender=texts[1])
    record = Underway({}).set_out(event, declared, NOW)
    checks = compile_checks(WIDGET_EVENT, asked, lambda _: UTC, None)
    refusal = compile_validate(WIDGET_EVENT, checks)(record)
    broken = [one for one in asked if not compile_rule(one, WIDGET_EVENT)(event, declared)]
    rejecting = [one for one in broken if one.action == "reject"]
    if rejecting:
        assert refusal == Refusal("reject", "validate", rejecting[0].name, rejecting[0].field)
    else:
        assert (refusal, record.marks) == (None, tuple(one.name for one in broken))
