"""Tap rows along the journey: where a record was seen, and how it stood there."""

from collections.abc import Callable
from typing import Any

import pytest

from streamwatch.domain.refusals import STAGES
from streamwatch.domain.tap_settings import TapSettings

NOW = 1_788_256_800_000
Make = Callable[..., Any]
EVERYWHERE = (TapSettings("all", "widget-event", STAGES),)


def test_a_counted_record_is_seen_after_every_stage(counting: Make, widget: Make) -> None:
    count = counting(taps=EVERYWHERE)
    count.feed(widget(height=70, height_unit="in", gender="F"))
    assert [row.stage for row in count.taps] == list(STAGES)
    heights = [row.columns["height"] for row in count.taps]
    assert heights == [70, 70, *[pytest.approx(177.8)] * 4]
    assert [row.columns["gender"] for row in count.taps] == ["F", "F", *["female"] * 4]
    assert [row.occurred_at for row in count.taps] == [None, *[NOW] * 5]
    assert count.taps[-1].columns["segments"] == "all,gender=female"
    assert count.taps[-1].columns["bucket"] == NOW


@pytest.mark.parametrize(
    ("fields", "last"),
    [
        ({"height": "tall"}, None),
        ({"time": "soon"}, "decode"),
        ({"height_unit": "?"}, "validate"),
        ({"time": NOW - 30 * 86_400_000}, "pseudonymise"),
    ],
)
def test_a_refused_record_is_seen_up_to_the_stage_before(
    counting: Make, widget: Make, fields: dict[str, Any], last: str | None
) -> None:
    count = counting(taps=EVERYWHERE)
    count.feed(widget(), widget(**fields))
    seen = [row.stage for row in count.taps if row.offset == 1]
    assert seen == list(STAGES[: STAGES.index(last) + 1] if last else ())


def test_a_tap_before_validate_keeps_ids_short(counting: Make, widget: Make) -> None:
    count = counting(taps=EVERYWHERE)
    count.feed(widget(event_id="e" * 10_000), widget(shop="s" * 1_000_000))
    assert [(len(row.event_id), len(row.shop)) for row in count.taps] == [(200, 8), (3, 200)]


def test_the_same_events_are_sampled_at_every_stage(counting: Make, widget: Make) -> None:
    count = counting(taps=(TapSettings("some", "widget-event", STAGES, sample=0.3),))
    count.feed(*[widget(event_id=f"e-{n}") for n in range(200)])
    by_stage = [{row.event_id for row in count.taps if row.stage == stage} for stage in STAGES]
    assert 30 < len(by_stage[0]) < 90
    assert all(ids == by_stage[0] for ids in by_stage)
