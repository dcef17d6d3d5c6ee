"""Cells: summing in bulk equals summing one by one, and merging is exact in any order."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.cells import (
    ALL,
    Cell,
    Cells,
    Group,
    Moments,
    Segment,
    Transition,
    merge_groups,
)
from streamwatch.domain.events import PURCHASE, Purchase
from streamwatch.domain.sketch import bin_of, quantile
from streamwatch.stages.aggregate import GROUPED, aggregate
from streamwatch.stages.batch import Batch, Place
from streamwatch.stages.bounds import add_cells
from streamwatch.stages.columns import COUNTED, NORMALISED, POINTS

LABELS = ("gender", "category")


class Noted(msgspec.Struct, frozen=True):
    """A record as COUNT notes it: refused after the stage ``POINTS[passed]``, or counted."""

    place: Place
    passed: int
    arrived: int
    declared: tuple[float | None, float | None]
    event: Purchase


NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, -3.0, 170.0]))
TEXTS = st.one_of(st.none(), st.sampled_from(["", "a", "b", "c"]))


@st.composite
def noted(draw: st.DrawFn) -> Noted:
    declared = (draw(NUMBERS), draw(NUMBERS))
    kept = draw(st.booleans())
    quantity, price = declared if kept else (draw(NUMBERS), draw(NUMBERS))
    event = Purchase(
        "e", "s", gender=draw(TEXTS), category=draw(TEXTS), quantity=quantity, price=price,
        currency=draw(st.sampled_from([None, "EUR", "USD"])),
    )  # fmt: skip
    place = draw(st.tuples(st.sampled_from("st"), st.sampled_from([0, 3_600_000])))
    passed = draw(st.sampled_from([COUNTED, COUNTED, *range(COUNTED)]))
    return Noted(place, passed, draw(st.integers(1, 9)), declared, event)


def in_bulk(records: Iterable[Noted]) -> dict[Place, Cells]:
    batch = Batch(PURCHASE)
    for record in records:
        place, event = batch.place(*record.place), record.event
        if record.passed == COUNTED:
            batch.count(place, record.arrived, record.declared, event)
        else:
            batch.drop(place, record.arrived, record.declared, event, record.passed, "a/b/c")
    return aggregate(batch, PURCHASE, LABELS)


def one_by_one(records: Sequence[Noted]) -> dict[Place, Cells]:
    places = dict.fromkeys(record.place for record in records)
    return {place: cells_of([r for r in records if r.place == place]) for place in places}


def cells_of(records: Sequence[Noted]) -> Cells:
    counted = [record for record in records if record.passed == COUNTED]
    cells: Cells = {ALL: whole_shop(records, counted)}
    for label in LABELS:
        for value in {getattr(record.event, label) for record in counted} - {None, ""}:
            chosen = [record for record in counted if getattr(record.event, label) == value]
            numbers = moments_after(chosen, after=True)
            cells[f"{label}={value}"] = Segment(len(chosen), numbers)
    return cells


def whole_shop(records: Sequence[Noted], counted: Sequence[Noted]) -> Cell:
    stages = {}
    for point, stage in enumerate(POINTS):
        reached = [record for record in records if record.passed >= point]
        if reached:
            stages[stage] = moments_after(reached, after=point >= NORMALISED)
    cell = Cell(
        count=len(counted),
        numbers=moments_after(counted, after=True),
        stages=stages,
        first_arrival=min(record.arrived for record in records),
        last_arrival=max(record.arrived for record in records),
    )
    refused = len(records) - len(counted)
    if refused:
        cell.rejects = {"a/b/c": refused}
    if counted:
        for name in PURCHASE.labels:
            values = Counter(getattr(record.event, name) or "" for record in counted)
            cell.labels[name] = dict(values)
    for record in counted:
        add_to_groups(cell, record)
    for record in records:
        for name, before, after in features(record):
            if record.passed >= NORMALISED and differ(before, after):
                change = Transition(1, (after or 0.0) - (before or 0.0))
                of_stage = cell.transitions.setdefault("normalise", {})
                of_stage.setdefault(name, Transition()).merge(change)
            if record.passed == COUNTED and after is not None:
                bins = cell.sketches.setdefault(name, {})
                bins[bin_of(after)] = bins.get(bin_of(after), 0) + 1
    return cell


def add_to_groups(cell: Cell, record: Noted) -> None:
    for labels in GROUPED:
        value = ",".join(getattr(record.event, name) or "" for name in labels)
        for feature, before, after in features(record):
            if after is None:
                continue
            one = {",".join(labels): {value: {feature: Group(1, after)}}}
            merge_groups(cell.groups, one, Group)
            if before is not None and before != after:
                change = {",".join(labels): {value: {feature: Transition(1, after - before)}}}
                merge_groups(cell.group_changes, change, Transition)


def differ(before: float | None, after: float | None) -> bool:
    return None not in (before, after) and before != after


def features(record: Noted) -> list[tuple[str, float | None, float | None]]:
    event = record.event
    return [
        ("quantity", record.declared[0], event.quantity),
        (f"price.{event.currency or 'NONE'}", record.declared[1], event.price),
    ]


def moments_after(records: Sequence[Noted], *, after: bool) -> dict[str, Moments]:
    found: dict[str, Moments] = {}
    for record in records:
        for name, before, value in features(record):
            number = value if after else before
            one = Moments(missing=1) if number is None else Moments(1, number)
            found[name] = found.get(name, Moments()) + one
    return found


def assert_same(left: object, right: object, scale: float = 1.0) -> None:
    """Equal, floats to a relative 1e-9 of what was summed."""
    if isinstance(left, float) and isinstance(right, float):
        assert math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9 * scale), (left, right)
    elif isinstance(left, dict) and isinstance(right, dict):
        assert left.keys() == right.keys()
        for key, value in left.items():
            assert_same(value, right[key], scale)
    elif isinstance(left, msgspec.Struct) and type(left) is type(right):
        squared = isinstance(left, Moments)
        for name in left.__struct_fields__:
            power = 2 if squared and name == "m2" else 1
            assert_same(getattr(left, name), getattr(right, name), scale**power)
    else:
        assert left == right


def merged(parts: Iterable[dict[Place, Cells]]) -> dict[Place, Cells]:
    total: dict[Place, Cells] = {}
    for part in parts:
        for place, cells in part.items():
            add_cells(total.setdefault(place, {}), cells)
    return total


RECORDS = st.lists(noted(), min_size=1, max_size=40)
SCALE = 40 * 1e6


@given(RECORDS)
def test_summing_in_bulk_equals_summing_one_by_one(records: list[Noted]) -> None:
    assert_same(in_bulk(records), one_by_one(records), SCALE)


@given(records=RECORDS, data=st.data())
def test_cells_merge_to_the_same_in_any_split_and_order(
    records: list[Noted], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(records))
    parts: list[list[Noted]] = [[]]
    for record in shuffled:
        if data.draw(st.booleans()):
            parts.append([])
        parts[-1].append(record)
    split = merged(in_bulk(part) for part in data.draw(st.permutations(parts)))
    assert_same(split, merged([in_bulk(records)]), SCALE)


@given(st.lists(st.floats(1e-3, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_is_within_a_hundredth_of_a_value_at_its_rank(
    values: list[float], q: float
) -> None:
    bins = Counter(bin_of(value) for value in values)
    rank = q * (len(values) - 1)
    ordered = sorted(values)
    low, high = ordered[math.floor(rank)], ordered[math.ceil(rank)]
    assert low * 0.98 <= quantile(dict(bins), q) <= high * 1.02
