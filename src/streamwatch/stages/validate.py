"""validate: is this a record that can be counted, and does it keep the experts' rules?"""

import math
from collections.abc import Callable, Container
from datetime import tzinfo

import msgspec

from streamwatch.domain.cells import LARGEST
from streamwatch.domain.events import EventType, Received
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import Rule
from streamwatch.stages.declared import Numbers
from streamwatch.stages.mapping import LONGEST_NAME
from streamwatch.stages.rules import compile_rule
from streamwatch.stages.when import EARLIEST_MS, event_time_ms

NUL = "\0"
"""A character that PostgreSQL cannot store, so that no id may hold it."""


class Validated(msgspec.Struct, frozen=True, gc=False):
    """A record that keeps the rules.

    Attributes:
        record: as the client sent it.
        occurred: event time, milliseconds since 1970 UTC.
        marks: reason codes of rules that it breaks but that only mark.
    """

    record: Received
    occurred: int
    marks: tuple[str, ...]


Validate = Callable[[Received, Numbers, int], Validated | Refusal]
"""From the record, its declared numbers and the latest time it may have, in milliseconds."""


def compile_validate(
    event_type: EventType,
    rules: tuple[Rule, ...],
    zone_of: Callable[[str], tzinfo],
    known_shops: Container[str] | None,
    required: tuple[str, ...] = (),
) -> Validate:
    """The validate stage of one source; ``known_shops`` of ``None`` admits every shop."""
    demands = tuple(Rule(f"missing-{name}", "return", name, required=True) for name in required)
    compiled = tuple(
        (rule, compile_rule(rule, event_type))
        for rule in (*demands, *(rule for rule in rules if rule.event == event_type.name))
    )

    def validate(record: Received, declared: Numbers, latest: int) -> Validated | Refusal:
        shop = record.shop
        if not 0 < len(record.event_id) <= LONGEST_NAME or NUL in record.event_id:
            return Refusal("reject", "validate", "bad-id", "event_id")
        if not 0 < len(shop) <= LONGEST_NAME or NUL in shop:
            return Refusal("reject", "validate", "bad-id", "shop")
        if known_shops is not None and shop not in known_shops:
            return Refusal("reject", "validate", "unknown-shop", "shop")
        occurred = event_time_ms(record.time, lambda: zone_of(shop))
        if occurred is None:
            return Refusal("reject", "validate", "bad-time", "time")
        if not EARLIEST_MS <= occurred <= latest:
            reason = "future-time" if occurred > latest else "absurd-time"
            return Refusal("reject", "validate", reason, "time")
        for place, value in enumerate(declared):
            if value is not None and not -LARGEST <= value <= LARGEST:
                reason = "absurd-number" if math.isfinite(value) else "not-finite"
                return Refusal("reject", "validate", reason, event_type.numbers[place])
        marks: tuple[str, ...] = ()
        for rule, holds in compiled:
            if not holds(record, declared):
                if rule.action == "reject":
                    return Refusal("reject", "validate", rule.name, rule.field)
                marks = (*marks, rule.name)
        return Validated(record, occurred, marks)

    return validate
