"""Whether the experts' rules make sense: one kind each, about fields that fit it."""

import re
from collections.abc import Iterator

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.findings import Finding, Path, did_you_mean
from streamwatch.domain.source_settings import Rule

KINDS = ("range", "required", "allowed", "pattern", "below")
LONGEST_PATTERN = 300
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def check_rules(rules: tuple[Rule, ...]) -> Iterator[Finding]:
    """What cannot work about the rules."""
    names: set[str] = set()
    for position, rule in enumerate(rules):
        path: Path = ("rules", position)
        if not _NAME.fullmatch(rule.name):
            text = f"rule name `{rule.name}`: small letters, digits and dashes only, at most 63"
            yield Finding((*path, "name"), text)
        elif rule.name in names:
            yield Finding((*path, "name"), f"rule `{rule.name}` stands twice; names are unique")
        names.add(rule.name)
        event_type = EVENT_TYPES[rule.event]
        yield from _check_field(rule, event_type, path)
        yield from _check_kind(rule, event_type, path)
        yield from _check_when(rule, event_type, path)


def _check_field(rule: Rule, event_type: EventType, path: Path) -> Iterator[Finding]:
    names = event_type.received.__struct_fields__
    if rule.field not in names:
        hint = did_you_mean(rule.field, names)
        text = f"{rule.event} has no field `{rule.field}` (rule {rule.name}){hint}"
        yield Finding((*path, "field"), text)
    elif rule.field == "time":
        text = f"rule {rule.name}: the time is checked by `horizon` and `future`, not by rules"
        yield Finding((*path, "field"), text)


def _check_kind(rule: Rule, event_type: EventType, path: Path) -> Iterator[Finding]:
    given = [kind for kind in KINDS if getattr(rule, kind) not in (None, False)]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        text = f"rule {rule.name} must have exactly one of {', '.join(KINDS)}; it has {found}"
        yield Finding(path, text)
        return
    kind = given[0]
    numeric = rule.field in event_type.numbers
    if rule.field in event_type.received.__struct_fields__:
        if kind in {"range", "below"} and not numeric:
            choice = " or ".join(event_type.numbers)
            text = f"rule {rule.name}: {kind} needs a numeric field ({choice}), not `{rule.field}`"
            yield Finding((*path, "field"), text)
        elif kind in {"allowed", "pattern"} and numeric:
            text = f"rule {rule.name}: {kind} needs a text field; for `{rule.field}` use range"
            yield Finding((*path, "field"), text)
    yield from _check_limits(rule, path)
    yield from _check_pattern(rule, path)
    if rule.below is not None:
        yield from _check_below(rule, event_type, path)


def _check_limits(rule: Rule, path: Path) -> Iterator[Finding]:
    if rule.range is not None and not rule.range[0] < rule.range[1]:
        text = f"rule {rule.name}: range must be [lowest, highest], the lowest first"
        yield Finding((*path, "range"), text)
    if rule.allowed is not None and not rule.allowed:
        text = f"rule {rule.name}: allowed lists no value, so that every record would break it"
        yield Finding((*path, "allowed"), text)


def _check_pattern(rule: Rule, path: Path) -> Iterator[Finding]:
    if rule.pattern is None:
        return
    place = (*path, "pattern")
    if not 0 < len(rule.pattern) <= LONGEST_PATTERN:
        text = f"rule {rule.name}: a pattern has 1 to {LONGEST_PATTERN} characters"
        yield Finding(place, text)
        return
    try:
        re.compile(rule.pattern)
    except (re.error, RecursionError, OverflowError) as error:
        text = f"rule {rule.name}: pattern is no regular expression: {error}"
        yield Finding(place, text)


def _check_below(rule: Rule, event_type: EventType, path: Path) -> Iterator[Finding]:
    if rule.below not in event_type.numbers:
        hint = did_you_mean(str(rule.below), event_type.numbers)
        text = f"rule {rule.name}: {rule.event} has no numeric field `{rule.below}`{hint}"
        yield Finding((*path, "below"), text)
    elif rule.below == rule.field:
        text = f"rule {rule.name} compares `{rule.field}` with itself"
        yield Finding((*path, "below"), text)


def _check_when(rule: Rule, event_type: EventType, path: Path) -> Iterator[Finding]:
    texts = [
        name
        for name in event_type.event.__struct_fields__
        if name not in event_type.numbers and name != "time"
    ]
    for field in rule.when:
        if field not in texts:
            hint = did_you_mean(field, texts)
            text = f"when of rule {rule.name}: {rule.event} has no text field `{field}`{hint}"
            yield Finding((*path, "when", field), text)
