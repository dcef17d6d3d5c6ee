"""COUNT's state: what it keeps, restores, announces, and forgets."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streamwatch.domain.cells import ALL
from streamwatch.errors import StateError
from streamwatch.steps.countstate import PROGRESS, key_of

NOW = 1_788_256_800_000
HOUR = 3_600_000
DAY = 24 * HOUR
HORIZON = 8 * DAY
Make = Callable[..., Any]


def test_what_was_restored_announces_what_was_settled(counting: Make, widget: Make) -> None:
    count = counting()
    count.feed(*[widget(time=NOW - hour * HOUR, shop=f"s/{hour % 3}") for hour in range(9)])
    settled = count.settle()
    count.restart()
    assert count.step.announce(count.state, count.offset, 0) == settled.messages


def test_only_the_last_flush_is_announced(counting: Make, widget: Make) -> None:
    count = counting()
    count.feed(widget())
    count.settle()
    count.feed(widget(shop="shop-002"))
    second = count.settle()
    count.restart()
    assert count.step.announce(count.state, count.offset, 0) == second.messages


def test_hours_that_leave_the_horizon_in_one_flush_are_announced_too(
    counting: Make, widget: Make
) -> None:
    """History is replayed faster than it happened: one flush holds months of a small shop."""
    count = counting()
    count.feed(*[widget(time=NOW - day * DAY) for day in range(60, -1, -1)])
    settled = count.settle()
    assert len(settled.messages) == 61
    count.restart()
    assert count.step.announce(count.state, count.offset, 0) == settled.messages


def test_hours_out_of_reach_are_forgotten(counting: Make, widget: Make) -> None:
    count = counting()
    old = NOW - HORIZON
    count.feed(widget(time=old - 2 * HOUR), widget(time=old - HOUR), widget(time=old))
    count.settle()
    count.feed(widget(time=NOW))
    count.settle()
    hours = {old - HOUR, old, NOW}
    assert count.states.keys() == {PROGRESS, *(key_of(("shop-001", hour)) for hour in hours)}


def test_a_restart_forgets_the_same_hours(counting: Make, widget: Make) -> None:
    found = []
    for restarts in (False, True):
        count = counting()
        for day in range(30, -1, -3):
            count.feed(widget(time=NOW - day * DAY))
            count.settle()
            if restarts:
                count.restart()
        found.append(count.states)
    assert found[0].keys() == found[1].keys()


@pytest.mark.parametrize("restarts", [False, True])
def test_a_late_record_is_added_to_its_hour(counting: Make, widget: Make, restarts: bool) -> None:
    count = counting()
    for hour in range(6, -1, -1):
        count.feed(widget(time=NOW - hour * HOUR, height=160.0))
        count.settle()
    if restarts:
        count.restart()
    count.feed(widget(time=NOW - 6 * HOUR, height=180.0))
    (message,) = count.settle().messages
    cell = count.cells("shop-001", NOW - 6 * HOUR)[ALL]
    assert (cell.count, cell.numbers["height"].mean) == (2, 170)
    assert message.key == b"shop-001"


def test_past_hours_are_held_as_bytes(counting: Make, widget: Make) -> None:
    """Decoded cells take ten times the memory, and a shop holds hundreds of hours."""
    count = counting()
    for minute in range(0, 50 * 60, 15):
        count.feed(widget(time=NOW - 2 * DAY + minute * 60_000))
        count.settle()
    assert len(count.state._cells) <= 3
    assert len(count.state._frozen) >= 45


@pytest.mark.parametrize(("age", "counted"), [(HORIZON, True), (HORIZON + 1, False)])
def test_the_horizon_is_kept_to_the_millisecond(
    counting: Make, widget: Make, age: int, counted: bool
) -> None:
    count = counting()
    count.feed(widget(time=NOW))
    count.settle()
    count.feed(widget(time=NOW - age))
    assert count.counts[0] == 1 + counted
    assert [row.reason for row in count.rejects] == ([] if counted else ["too-late"])


BAD_FIELDS = [
    {"time": NOW + DAY}, {"time": "soon"}, {"height": "tall"}, {"height": 1e30},
]  # fmt: skip


@pytest.mark.parametrize("fields", BAD_FIELDS, ids=str)
@pytest.mark.parametrize("known", [False, True])
def test_a_refused_record_makes_no_history_too_late(
    counting: Make, widget: Make, fields: dict[str, Any], known: bool
) -> None:
    """A shop's history of last year is read today, and one of its records is bad."""
    last_year = NOW - 365 * DAY
    count = counting()
    if known:
        count.feed(widget(time=last_year))
    count.feed(widget(**fields))
    count.settle()
    count.feed(widget(time=last_year))
    count.settle()
    assert count.counts == (1 + known, 1, 0)
    assert count.cells("shop-001", last_year)[ALL].count == 1 + known


def test_shops_do_not_make_each_other_late(counting: Make, widget: Make) -> None:
    count = counting()
    count.feed(widget(time=NOW), widget(time=NOW - 100 * DAY, shop="shop-002"))
    assert count.counts == (2, 0, 0)


def test_hours_begin_with_the_shops_own_clock(counting: Make, widget: Make) -> None:
    count = counting(zone=ZoneInfo("Asia/Kolkata"))
    count.feed(widget(height_unit="?"), widget(), widget(time=NOW + 29 * 60_000))
    count.settle()
    assert [hour for _, hour in count.partials] == [NOW - HOUR // 2]


def test_each_flush_replaces_the_partials_before(counting: Make, widget: Make) -> None:
    count = counting()
    count.feed(widget())
    count.settle()
    count.feed(widget())
    count.settle()
    partial = count.partials["shop-001", NOW]
    assert (partial.version, partial.newest, partial.partition) == (2, NOW, 3)
    assert partial.cells[ALL].count == 2


def test_a_shop_that_sends_nothing_is_not_published_again(counting: Make, widget: Make) -> None:
    count = counting()
    count.feed(widget(), widget(shop="shop-002"))
    count.settle()
    count.feed(widget())
    assert [message.key for message in count.settle().messages] == [b"shop-001"]


def test_many_records_between_two_flushes_are_summed_on_the_way(
    counting: Make, widget: Make
) -> None:
    count = counting()
    for _ in range(21):
        count.feed(*[widget()] * 1_000)
    assert len(count.state.batch) == 1_000
    count.settle()
    assert count.total("shop-001") == 21_000


@pytest.mark.parametrize("damage", [b"", b"\xff\x80", b"\x01\xc1", b"\x01\x91"])
def test_a_damaged_state_is_named(counting: Make, widget: Make, damage: bytes) -> None:
    key = key_of(("shop-001", NOW))
    count = counting(states={key: damage})
    count.feed(widget())
    with pytest.raises(StateError, match="state '1788256800000/shop-001'"):
        count.settle()
