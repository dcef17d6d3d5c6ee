"""The rules of domain experts about one field, compiled once."""

import re
from collections.abc import Callable

from streamwatch.domain.events import Event, EventType
from streamwatch.domain.source_settings import Rule
from streamwatch.stages.declared import Numbers

Holds = Callable[[Event, Numbers], bool]
"""Whether a rule holds for a record, given its declared numbers."""


def compile_rule(rule: Rule, event_type: EventType) -> Holds:
    """The test of one rule; a field that is absent breaks only a ``required`` rule.

    >>> from streamwatch.domain.events import RETURN, ReceivedReturn
    >>> holds = compile_rule(Rule("q", "return", "quantity", range=(1, 99)), RETURN)
    >>> holds(ReceivedReturn("a", "s"), (100.0,)), holds(ReceivedReturn("a", "s"), (None,))
    (False, True)
    """
    holds = _compile_kind(rule, event_type)
    if not rule.when:
        return holds
    wanted = tuple(rule.when.items())

    def when_it_applies(record: Event, numbers: Numbers) -> bool:
        applies = all(getattr(record, name) == value for name, value in wanted)
        return not applies or holds(record, numbers)

    return when_it_applies


def is_plain_range(rule: Rule) -> bool:
    """Whether the rule is nothing but a range that always applies."""
    return rule.range is not None and not rule.when


def _compile_kind(rule: Rule, event_type: EventType) -> Holds:
    field = rule.field
    if rule.range is not None:
        low, high = rule.range
        place = event_type.numbers.index(field)
        return lambda _, numbers: (value := numbers[place]) is None or low <= value <= high
    if rule.below is not None:
        place, other = event_type.numbers.index(field), event_type.numbers.index(rule.below)

        def below(_: Event, numbers: Numbers) -> bool:
            value, limit = numbers[place], numbers[other]
            return value is None or limit is None or value <= limit

        return below
    if rule.allowed is not None:
        allowed = frozenset(rule.allowed)
        return lambda record, _: (text := getattr(record, field)) is None or text in allowed
    if rule.pattern is not None:
        matches = re.compile(rule.pattern).fullmatch
        return lambda record, _: (text := getattr(record, field)) is None or bool(matches(text))
    return lambda record, _: getattr(record, field) not in (None, "")
