"""A tap's rate and budget for each shop, along the journey of records."""

from collections.abc import Callable
from typing import Any

from streamwatch.domain.tap_settings import TapSettings

Make = Callable[..., Any]
NOW = 1_788_256_800_000


def offsets(count: Any, stage: str = "decode") -> list[int]:
    return [one.offset for one in count.taps if one.stage == stage]


def test_a_rate_takes_the_first_events_of_each_second_and_shop(
    counting: Make, widget: Make
) -> None:
    tap = TapSettings("t", "widget-event", ("decode", "segment"), rate=2)
    count = counting(taps=(tap,))
    count.feed(*(widget(event_id=f"e-{n}") for n in range(5)), widget(shop="other"))
    count.feed(*(widget(event_id=f"f-{n}") for n in range(5)), arrived=NOW + 1000)
    assert offsets(count) == [0, 1, 5, 6, 7]
    assert offsets(count, "segment") == offsets(count)
    assert count.state.meters.withheld == {"t": 6}


def test_a_budget_is_that_of_a_day_also_for_the_next_worker(counting: Make, widget: Make) -> None:
    tap = TapSettings("t", "widget-event", ("decode",), columns=("height",), budget=300)
    count = counting(taps=(tap,))
    count.feed(*(widget(event_id=f"e-{n}") for n in range(2)))
    count.settle()
    count.restart()
    count.feed(*(widget(event_id=f"f-{n}") for n in range(3)))
    assert offsets(count) == [0, 1, 2]
    count.feed(widget(time=NOW + 86_400_000), arrived=NOW + 86_400_000)
    assert offsets(count) == [0, 1, 2, 5]


def test_a_replay_takes_the_same_rows(counting: Make, widget: Make) -> None:
    tap = TapSettings("t", "widget-event", ("decode",), rate=1)
    once, again = counting(taps=(tap,)), counting(taps=(tap,))
    values = [widget(event_id=f"e-{n}") for n in range(6)]
    for place, value in enumerate(values):
        once.feed(value, arrived=NOW + 400 * place)
    again.feed(values[0], arrived=NOW)
    again.settle()
    again.restart()
    for place, value in enumerate(values[1:], start=1):
        again.feed(value, arrived=NOW + 400 * place)
    assert offsets(once) == offsets(again) == [0, 3, 5]
