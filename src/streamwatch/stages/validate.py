"""validate: is this a record that can be counted, and does it keep the experts' rules?"""

import math
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import tzinfo

import msgspec

from streamwatch.domain.cells import LARGEST
from streamwatch.domain.events import EventType
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import Rule
from streamwatch.stages.declared import Numbers
from streamwatch.stages.mapping import LONGEST_NAME
from streamwatch.stages.remembered import Remembered
from streamwatch.stages.rules import Holds, compile_rule, is_plain_range
from streamwatch.stages.underway import Stage, Underway
from streamwatch.stages.when import EARLIEST_MS, event_time_ms

NUL = "\0"
"""A character that PostgreSQL cannot store, so that no id may hold it."""

Ruled = tuple[tuple[Rule, Holds], ...]


class Checks(msgspec.Struct, frozen=True):
    """What `validate` of one source asks of a record.

    Attributes:
        every: the rules.
        bounds: of each number, between what it keeps all ranges that always apply.
        others: the rules that are more than that.
        refusal_of_shop: why no record of a shop is taken; ``None`` if they are.
        zone_of: the time zone of a shop.
    """

    every: Ruled
    bounds: Sequence[tuple[float, float]]
    others: Ruled
    refusal_of_shop: Mapping[str, Refusal | None]
    zone_of: Callable[[str], tzinfo]


def compile_checks(
    event_type: EventType,
    rules: tuple[Rule, ...],
    zone_of: Callable[[str], tzinfo],
    known_shops: Container[str] | None,
    required: tuple[str, ...] = (),
) -> Checks:
    """What one source asks of its records; ``known_shops`` of ``None`` admits every shop."""
    demands = tuple(Rule(f"missing-{name}", "return", name, required=True) for name in required)
    every: Ruled = tuple(
        (rule, compile_rule(rule, event_type))
        for rule in (*demands, *(rule for rule in rules if rule.event == event_type.name))
    )
    return Checks(
        every=every,
        bounds=_bounds(event_type, every),
        others=tuple(pair for pair in every if not is_plain_range(pair[0])),
        refusal_of_shop=Remembered(lambda shop: _refused_shop(shop, known_shops)),
        zone_of=zone_of,
    )


def compile_validate(event_type: EventType, checks: Checks) -> Stage:
    """The validate stage of one source; it writes `Underway.occurred` and `Underway.marks`."""
    every, others, zone_of = checks.every, checks.others, checks.zone_of
    # Nearly all numbers lie within all ranges, which one comparison tells; only then are the
    # other rules enough.
    within = _compile_within(checks.bounds)
    shop_refusals = checks.refusal_of_shop

    def validate(record: Underway) -> Refusal | None:
        event = record.event
        event_id = event.event_id
        if not 0 < len(event_id) <= LONGEST_NAME or NUL in event_id:
            return Refusal("reject", "validate", "bad-id", "event_id")
        refusal = shop_refusals[event.shop]
        if refusal is not None:
            return refusal
        occurred = event_time_ms(event.time, zone_of, event.shop)
        if occurred is None:
            return Refusal("reject", "validate", "bad-time", "time")
        if not EARLIEST_MS <= occurred <= record.latest:
            reason = "future-time" if occurred > record.latest else "absurd-time"
            return Refusal("reject", "validate", reason, "time")
        asked = others
        if not within(record.declared):
            refusal = _refused_number(event_type, record)
            if refusal is not None:
                return refusal
            asked = every
        if asked:
            refusal = _ask(asked, record)
            if refusal is not None:
                return refusal
        record.occurred = occurred
        return None

    return validate


def _bounds(event_type: EventType, rules: Ruled) -> list[tuple[float, float]]:
    """Between what each number keeps all ranges that always apply."""
    bounds = [(-LARGEST, LARGEST)] * len(event_type.numbers)
    for rule, _ in rules:
        if rule.range is not None and is_plain_range(rule):
            place = event_type.numbers.index(rule.field)
            low, high = bounds[place]
            bounds[place] = max(low, rule.range[0]), min(high, rule.range[1])
    return bounds


def _compile_within(bounds: Sequence[tuple[float, float]]) -> Callable[[Numbers], bool]:
    """Whether all numbers lie within their bounds; one that is missing does.

    Written out for each count of numbers that an event type has, since a loop takes five times
    as long.
    """
    (low1, high1), (low2, high2), (low3, high3) = (*bounds, (0, 0), (0, 0))[:3]

    def one(numbers: Numbers) -> bool:
        (first,) = numbers
        return first is None or low1 <= first <= high1

    def two(numbers: Numbers) -> bool:
        first, second = numbers
        return (first is None or low1 <= first <= high1) and (
            second is None or low2 <= second <= high2
        )

    def three(numbers: Numbers) -> bool:
        first, second, third = numbers
        return (
            (first is None or low1 <= first <= high1)
            and (second is None or low2 <= second <= high2)
            and (third is None or low3 <= third <= high3)
        )

    return (one, two, three)[len(bounds) - 1]


def _refused_shop(shop: str, known_shops: Container[str] | None) -> Refusal | None:
    if not 0 < len(shop) <= LONGEST_NAME or NUL in shop:
        return Refusal("reject", "validate", "bad-id", "shop")
    if known_shops is not None and shop not in known_shops:
        return Refusal("reject", "validate", "unknown-shop", "shop")
    return None


def _refused_number(event_type: EventType, record: Underway) -> Refusal | None:
    for name, value in zip(event_type.numbers, record.declared, strict=True):
        if value is not None and not -LARGEST <= value <= LARGEST:
            reason = "absurd-number" if math.isfinite(value) else "not-finite"
            return Refusal("reject", "validate", reason, name)
    return None


def _ask(rules: Ruled, record: Underway) -> Refusal | None:
    """The first rule that refuses the record; those that only mark leave their mark."""
    for rule, holds in rules:
        if not holds(record.event, record.declared):
            if rule.action == "reject":
                return Refusal("reject", "validate", rule.name, rule.field)
            record.marks = (*record.marks, rule.name)
    return None
