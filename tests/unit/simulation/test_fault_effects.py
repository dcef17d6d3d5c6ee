from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest

from streamwatch.simulation.faults import FAULT_KINDS, parse_fault, window
from streamwatch.simulation.fleet import FleetSettings
from streamwatch.simulation.labels import labels
from streamwatch.simulation.simulate import SimulatedEvent, simulate

FLEET = FleetSettings(4, 12, seed=5, smallest=80, largest=300)
SHOP = "shop-002"
Event = tuple[str, int, dict[str, Any]]


@pytest.fixture(name="clean", scope="module")
def _clean() -> list[SimulatedEvent]:
    return list(simulate(FLEET))


def faulty(*texts: str) -> list[SimulatedEvent]:
    return list(simulate(FLEET, [parse_fault(text) for text in texts]))


def occurred(event: SimulatedEvent) -> int:
    text = msgspec.json.decode(event.value_bytes)["time"]
    return int(np.datetime64(text[:-1], "ms").astype(np.int64))


def during(events: list[SimulatedEvent], text: str) -> list[Event]:
    """What the fault's shop did within the fault's window."""
    fault = parse_fault(text)
    start, end = window(fault, FLEET)
    return [
        (event.topic, event.arrived_ms, msgspec.json.decode(event.value_bytes))
        for event in events
        if event.shop == fault.shop and start <= occurred(event) < end
    ]


def numbers(events: list[Event], topic: str, field: str) -> list[float]:
    return [value[field] for kind, _, value in events if kind == topic and field in value]


@pytest.mark.parametrize("kind", [kind for kind in FAULT_KINDS if kind != "stage-bug"])
def test_a_fault_touches_only_its_shop_and_time(kind: str, clean: list[SimulatedEvent]) -> None:
    fault = parse_fault(f"{kind}@{SHOP}:6+1.5")
    start, end = window(fault, FLEET)

    def untouched(events: list[SimulatedEvent]) -> list[SimulatedEvent]:
        return [e for e in events if e.shop != SHOP or not start <= occurred(e) < end]

    changed = faulty(f"{kind}@{SHOP}:6+1.5")
    assert changed != clean
    assert untouched(changed) == untouched(clean)


def test_a_stage_bug_changes_no_data(clean: list[SimulatedEvent]) -> None:
    assert faulty(f"stage-bug@{SHOP}:6:normalise/0.3") == clean


def test_a_fault_does_the_same_beside_another(clean: list[SimulatedEvent]) -> None:
    alone = [e for e in faulty(f"inches@{SHOP}:6:0.3") if e.shop == SHOP]
    both = [e for e in faulty("drop@shop-001:5:0.4", f"inches@{SHOP}:6:0.3") if e.shop == SHOP]
    assert alone == both
    assert alone != [e for e in clean if e.shop == SHOP]


def test_nothing_is_sent_in_a_silence() -> None:
    text = f"silence@{SHOP}:6+2"
    assert during(faulty(text), text) == []


def test_a_drop_loses_its_share(clean: list[SimulatedEvent]) -> None:
    text = f"drop@{SHOP}:4+6:0.3"
    kept, before = during(faulty(text), text), during(clean, text)
    assert len(kept) / len(before) == pytest.approx(0.7, abs=0.06)
    assert [event for event in before if event in kept] == kept


def test_a_surge_multiplies_widget_use_and_keeps_what_was_there(
    clean: list[SimulatedEvent],
) -> None:
    text = f"surge@{SHOP}:6:4"
    more, before = during(faulty(text), text), during(clean, text)
    assert len(numbers(more, "widget-event", "event_id")) == pytest.approx(
        4 * len(numbers(before, "widget-event", "event_id")), rel=0.2
    )
    assert [event for event in more if event in before] == before
    assert len({(kind, value["event_id"]) for kind, _, value in more}) == len(more)


def test_inches_shift_the_share_of_heights_by_two_point_five_four(
    clean: list[SimulatedEvent],
) -> None:
    text = f"inches@{SHOP}:3:0.3"
    pairs = list(zip(during(clean, text), during(faulty(text), text), strict=True))
    ratios = [
        right["height"] / wrong["height"]
        for (_, _, right), (_, _, wrong) in pairs
        if right.get("height") != wrong.get("height")
    ]
    widgets = sum("height" in right for (_, _, right), _ in pairs)
    assert len(ratios) / widgets == pytest.approx(0.3, abs=0.06)
    assert ratios == pytest.approx([2.54] * len(ratios), rel=0.002)
    assert all(
        wrong["height_unit"] == "cm" for (_, _, wrong) in (w for _, w in pairs if "height" in w[2])
    )


@pytest.mark.parametrize(
    ("field", "topic"), [("weight", "widget-event"), ("price", "purchase"), ("quantity", "return")]
)
def test_tenfold_multiplies_one_field(field: str, topic: str, clean: list[SimulatedEvent]) -> None:
    text = f"tenfold@{SHOP}:3:{field}"
    right = numbers(during(clean, text), topic, field)
    wrong = numbers(during(faulty(text), text), topic, field)
    assert len(right) > 3
    assert wrong == pytest.approx([10 * number for number in right])


@pytest.mark.parametrize("field", ["height", "gender", "size"])
def test_a_missing_field_is_left_out(field: str) -> None:
    text = f"missing-field@{SHOP}:3:{field}"
    assert all(field not in value for _, _, value in during(faulty(text), text))


def test_large_sizes_vanish_from_purchases_only(clean: list[SimulatedEvent]) -> None:
    text = f"sizes-lost@{SHOP}:3"
    events = during(faulty(text), text)
    sizes = Counter(numbers(events, "purchase", "size"))
    assert set(sizes) <= {"XS", "S", "M", "L"}
    assert len(during(clean, text)) - len(events) > 10
    assert {"XL", "XXL"} & set(numbers(events, "widget-event", "recommended_size"))


def test_wrong_labels_swap_women_and_men(clean: list[SimulatedEvent]) -> None:
    text = f"wrong-label@{SHOP}:3"
    other = {"female": "male", "male": "female", None: None}
    for (_, _, right), (_, _, wrong) in zip(
        during(clean, text), during(faulty(text), text), strict=True
    ):
        assert wrong.get("gender") == other[right.get("gender")]


def test_a_duplicate_is_the_same_event_an_hour_later(clean: list[SimulatedEvent]) -> None:
    text = f"duplicate-file@{SHOP}:6"
    twice, once = during(faulty(text), text), during(clean, text)
    again = [(kind, arrived + 3_600_000, value) for kind, arrived, value in once]
    assert sorted(twice, key=repr) == sorted([*once, *again], key=repr)


def test_late_events_keep_their_time_and_arrive_later(clean: list[SimulatedEvent]) -> None:
    text = f"late@{SHOP}:6:9"
    late = [
        (kind, arrived - 9 * 3_600_000, value)
        for kind, arrived, value in during(faulty(text), text)
    ]
    assert sorted(late, key=repr) == sorted(during(clean, text), key=repr)


def test_the_first_label_of_a_mean_names_what_moved_most(clean: list[SimulatedEvent]) -> None:
    text = f"tenfold@{SHOP}:3:price"
    first = labels(FLEET, [parse_fault(text)])[0]
    _, field, currency = first.kpi.split(".")
    prices = [
        [
            v[field]
            for kind, _, v in during(events, text)
            if kind == first.event_type and v["currency"] == currency
        ]
        for events in (clean, faulty(text))
    ]
    assert np.mean(prices[1]) == pytest.approx(10 * np.mean(prices[0]))
