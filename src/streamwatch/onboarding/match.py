"""Which path of a record holds which field of an event, by name and by what stands there."""

from collections.abc import Mapping

import msgspec

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.onboarding.columns import Column
from streamwatch.onboarding.measures import RANGES, unit_of
from streamwatch.onboarding.names import likeness

NEVER = 0.0
LEAST_SCORE = 0.4
MOSTLY = 0.8
UNIQUE = 0.999
MOST_LABELS = 1_000
MOST_SHOPS = 20_000
HIGHEST_MEDIAN_AGE = 100

EVIDENCE: Mapping[str, Mapping[str, float]] = {
    "widget-event": {"height": 3, "weight": 3, "age": 1, "recommended_size": 2,
                     "fit_preference": 2},
    "purchase": {"price": 3, "quantity": 1, "order_id": 1, "currency": 1},
    "return": {"reason": 3, "quantity": 1, "order_id": 0.5},
}  # fmt: skip
"""Event type → how much each of its fields speaks for it."""

NAMES = {
    "widget-event": ("widget", "recommend", "sizing", "fit"),
    "purchase": ("purchase", "order", "sale", "retail", "invoice", "checkout", "basket"),
    "return": ("return", "refund", "retour", "rma"),
}
"""Event type → parts of names of topics and files that speak for it."""


class Match(msgspec.Struct, frozen=True):
    """A field and the column that holds it; ``score`` is from 0 to 1."""

    field: str
    column: Column
    score: float


def matches(event_type: EventType, columns: dict[str, Column]) -> dict[str, Match]:
    """Field → its match; each path serves one field, the surest first."""
    fields = event_type.received.__struct_fields__
    found = [
        Match(field, column, score)
        for column in columns.values()
        for field in fields
        if (score := _score(field, column, event_type)) >= LEAST_SCORE
    ]
    taken: dict[str, Match] = {}
    used: set[str] = set()
    for match in sorted(found, key=lambda one: -one.score):
        if match.field not in taken and match.column.path not in used:
            taken[match.field] = match
            used.add(match.column.path)
    _by_content(taken, used, columns)
    return taken


def event_type_of(columns: dict[str, Column], name: str = "") -> tuple[EventType, str]:
    """The event type that the columns suggest, and why.

    Args:
        columns: of the sampled records.
        name: of the topic or the file; it may say it too.
    """
    scores: dict[str, float] = {}
    reasons: dict[str, list[str]] = {}
    for kind in EVENT_TYPES.values():
        found = matches(kind, columns)
        fields = [field for field in EVIDENCE[kind.name] if field in found]
        parts = [part for part in NAMES[kind.name] if part in name.lower()]
        scores[kind.name] = sum(EVIDENCE[kind.name][field] for field in fields) + 2 * bool(parts)
        reasons[kind.name] = [*(f"`{found[field].column.path}` is {field}" for field in fields)]
        reasons[kind.name] += [f"the name has `{part}` in it" for part in parts[:1]]
    best = max(scores, key=lambda kind: scores[kind])
    why = ", ".join(reasons[best]) or "nothing speaks for any; say it with --event"
    return EVENT_TYPES[best], why


def _score(field: str, column: Column, event_type: EventType) -> float:
    """How well a column serves as a field: its name, unless its values cannot be that."""
    score = likeness(field, column.path)
    return score if score and _can_be(field, column, event_type) else NEVER


def _can_be(field: str, column: Column, event_type: EventType) -> bool:
    if not column.present:
        return False
    if field == "time":
        return column.times >= MOSTLY
    if field == "event_id":
        return column.distinct >= UNIQUE * column.present and column.missing < 1 - UNIQUE
    if field == "shop":
        few = column.distinct <= min(MOST_SHOPS, max(1, column.present // 2))
        return few and column.missing < 1 - MOSTLY
    if field in RANGES:
        in_feet = field == "height" and column.feet > column.present / 2
        return in_feet or (column.numeric >= MOSTLY and unit_of(column.numbers, field) is not None)
    if field in event_type.numbers:
        is_age = field != "age" or column.quantile(0.5) <= HIGHEST_MEDIAN_AGE
        return column.numeric >= MOSTLY and is_age
    if field.endswith("_unit"):
        return column.numeric < 1 - MOSTLY and column.distinct <= MOST_LABELS
    return field not in event_type.labels or column.distinct <= MOST_LABELS


def _by_content(taken: dict[str, Match], used: set[str], columns: dict[str, Column]) -> None:
    """Time and event id without a telling name: the only columns that can be them."""
    left = [column for column in columns.values() if column.path not in used]
    if "time" not in taken:
        times = [one for one in left if one.times >= MOSTLY and one.missing < 1 - MOSTLY]
        if len(times) == 1:
            taken["time"] = Match("time", times[0], LEAST_SCORE)
            left.remove(times[0])
    if "event_id" not in taken:
        unique = [
            one
            for one in left
            if one.distinct >= UNIQUE * one.present
            and one.missing < 1 - UNIQUE
            and one.times < MOSTLY
            and one.numeric < MOSTLY
        ]
        if len(unique) == 1:
            taken["event_id"] = Match("event_id", unique[0], LEAST_SCORE)
