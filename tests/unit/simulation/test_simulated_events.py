from collections import defaultdict
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamwatch.domain.events import EVENT_TYPES
from streamwatch.simulation.fleet import DAY_MS, FleetSettings, build_fleet
from streamwatch.simulation.simulate import SimulatedEvent, simulate, simulate_days

SMALL = FleetSettings(10, 21, seed=3, smallest=5, largest=120)
WITHOUT_HISTORY = FleetSettings(10, 21, seed=3, smallest=5, largest=120, history_days=0)


@pytest.fixture(name="events", scope="module")
def _events() -> list[SimulatedEvent]:
    return list(simulate(SMALL))


def value(event: SimulatedEvent) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(event.value_bytes)
    return found


def occurred(event: SimulatedEvent) -> int:
    text = value(event)["time"]
    assert text.endswith("Z")
    return int(np.datetime64(text[:-1], "ms").astype(np.int64))


def test_the_same_seed_gives_the_same_bytes(events: list[SimulatedEvent]) -> None:
    assert list(simulate(SMALL)) == events


def test_another_seed_gives_other_events(events: list[SimulatedEvent]) -> None:
    other = msgspec.structs.replace(SMALL, seed=4)
    assert list(simulate(other)) != events


@settings(max_examples=10, deadline=None)
@given(
    shops=st.integers(1, 12),
    days=st.integers(1, 9),
    seed=st.integers(0, 2**31),
    largest=st.floats(3, 60),
)
def test_events_come_in_order_of_arrival_within_the_days_and_never_before_they_happen(
    shops: int, days: int, seed: int, largest: float
) -> None:
    fleet = FleetSettings(shops, days, seed=seed, largest=largest)
    events = list(simulate(fleet))
    arrived = [event.arrived_ms for event in events]
    assert arrived == sorted(arrived)
    for event in events:
        assert fleet.start_ms <= occurred(event) <= event.arrived_ms < fleet.end_ms


def test_every_event_reads_as_its_received_type(events: list[SimulatedEvent]) -> None:
    for event in events:
        received = EVENT_TYPES[event.topic].received
        read = msgspec.json.decode(event.value_bytes, type=received)
        known = {field.name for field in msgspec.structs.fields(received)}
        assert read.shop == event.shop
        assert read.shopper
        assert set(value(event)) <= known


def test_event_ids_are_unique(events: list[SimulatedEvent]) -> None:
    ids = [(event.topic, value(event)["event_id"]) for event in events]
    assert len(set(ids)) == len(ids)


def test_each_return_refers_to_an_earlier_purchase_and_each_purchase_to_a_widget_use() -> None:
    used: dict[tuple[str, str], int] = {}
    bought: dict[tuple[str, str, str], dict[str, Any]] = {}
    returns = 0
    for event in sorted(simulate(WITHOUT_HISTORY), key=occurred):
        one = value(event)
        person = (one["shop"], one["shopper"])
        if event.topic == "widget-event":
            used.setdefault(person, occurred(event))
        elif event.topic == "purchase":
            assert used[person] < occurred(event)
            bought[one["shop"], one["order_id"], one["product"]] = one
        else:
            purchase = bought[one["shop"], one["order_id"], one["product"]]
            assert purchase["shopper"] == one["shopper"]
            assert purchase["quantity"] >= one["quantity"]
            assert purchase["time"] < one["time"]
            returns += 1
    assert returns > 20


def test_history_brings_returns_from_the_first_days_on() -> None:
    def first_week(fleet: FleetSettings) -> int:
        end = fleet.start_ms + 3 * DAY_MS
        return sum(e.topic == "return" and occurred(e) < end for e in simulate(fleet))

    assert first_week(WITHOUT_HISTORY) < first_week(SMALL) / 2


def test_a_shopper_who_comes_again_measures_the_same(events: list[SimulatedEvent]) -> None:
    heights: dict[tuple[str, str], list[float]] = defaultdict(list)
    genders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in events:
        one = value(event)
        person = (one["shop"], one["shopper"])
        if "height" in one:
            heights[person].append(one["height"])
        if "gender" in one:
            genders[person].add(one["gender"])
    again = [values for values in heights.values() if len(values) > 1]
    assert len(again) > 50
    assert max(max(values) - min(values) for values in again) < 8
    assert all(len(values) == 1 for values in genders.values())


def test_values_are_those_of_people(events: list[SimulatedEvent]) -> None:
    widgets = [value(event) for event in events if event.topic == "widget-event"]
    women = [one["height"] for one in widgets if one.get("gender") == "female" and "height" in one]
    men = [one["height"] for one in widgets if one.get("gender") == "male" and "height" in one]
    ages = [one["age"] for one in widgets if "age" in one]
    missing = sum("height" not in one for one in widgets) / len(widgets)
    assert 163 < np.mean(women) < 169
    assert 176 < np.mean(men) < 183
    assert 15 < min(ages) < max(ages) < 91
    assert 0 < missing < 0.05
    assert {one["height_unit"] for one in widgets} == {"cm"}


def test_a_file_holds_whole_local_days_and_comes_at_one_moment(
    events: list[SimulatedEvent],
) -> None:
    fleet = build_fleet(SMALL)
    for shop, days in (("shop-004", 1), ("shop-007", 7)):
        offset = int(fleet.utc_offset_ms[fleet.names.index(shop)])
        files: dict[int, set[int]] = defaultdict(set)
        for event in events:
            if event.shop == shop:
                files[event.arrived_ms].add((occurred(event) + offset) // DAY_MS)
        for arrived, local_days in files.items():
            age = {(arrived + offset) // DAY_MS - day for day in local_days}
            assert age <= set(range(1, days + 1))
        assert 2 <= len(files) <= SMALL.days // days + 1


def test_batches_hold_the_same_events_in_pieces(events: list[SimulatedEvent]) -> None:
    batches = list(simulate_days(SMALL))
    assert [event for _, batch in batches for event in batch] == events
    assert {day for day, _ in batches} == set(range(SMALL.days))


def test_a_large_day_is_cut_into_pieces_without_losing_the_order() -> None:
    large = FleetSettings(2, 1, smallest=60_000, largest=70_000, history_days=0)
    sizes, arrived = [], []
    for _, batch in simulate_days(large):
        sizes.append(len(batch))
        arrived += [event.arrived_ms for event in batch]
    assert len(sizes) > 1
    assert max(sizes) < 80_000
    assert arrived == sorted(arrived)
