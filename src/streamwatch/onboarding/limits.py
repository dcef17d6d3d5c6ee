"""Rules that the sample suggests: ranges, required fields and allowed values."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from streamwatch.domain.events import EventType
from streamwatch.domain.source_settings import Rule
from streamwatch.onboarding.columns import Column
from streamwatch.onboarding.proposal import ProposedRule
from streamwatch.stages.declared import IN_CM, IN_KG

LEAST_RECORDS = 500
"""Records from which the sample says what is always there, and which values there are."""

ALWAYS = 0.001
MOST_ALLOWED = 12
CLOSED = ("gender", "fit_preference", "reason")
"""Labels whose values seldom change, so that a new one is worth a mark."""

PLAUSIBLE: Mapping[str, tuple[float, float, str]] = {
    "height": (100, 230, "cm"),
    "weight": (25, 250, "kg"),
    "age": (10, 110, "years"),
}
_FACTORS = {"height": IN_CM, "weight": IN_KG}


def rules_for(
    event_type: EventType, columns: Mapping[str, Column], units: Mapping[str, str]
) -> Iterator[ProposedRule]:
    """The rules for one event type; all of them only mark.

    Args:
        event_type: whose fields they are about.
        columns: field → its column.
        units: measure → the unit of its values.
    """
    for field in event_type.numbers:
        if field in columns:
            yield _range(event_type.name, field, columns[field], units.get(field, ""))
    for field in (*event_type.numbers, "currency"):
        column = columns.get(field)
        if column is not None and len(column.values) >= LEAST_RECORDS and column.missing < ALWAYS:
            name = f"{event_type.name}-{field}-missing"
            absent = len(column.values) - column.present
            why = f"missing in {absent} of {len(column.values):,} records"
            yield ProposedRule(_marking(name, event_type.name, field, required=True), why)
    for field in CLOSED:
        if field in event_type.labels and field in columns:
            yield from _allowed(event_type.name, field, columns[field])


def _range(event: str, field: str, column: Column, unit: str) -> ProposedRule:
    low: float
    high: float
    if field in PLAUSIBLE:
        low, high, canonical = PLAUSIBLE[field]
        why = f"{canonical}; text in feet and inches"
        if column.numeric:
            factor = _FACTORS[field].get(unit, 1.0) if field in _FACTORS else 1.0
            numbers = column.numbers * factor
            beyond = float(((numbers < low) | (numbers > high)).sum()) / max(1, column.present)
            told = f"{_told(column)} {unit}".rstrip()
            why = f"{canonical}; {told}; {beyond:.2%} lie outside"
    else:
        low, high = _around(column)
        why = f"{_told(column)}; ten times the highest 0.1 %, rounded"
    name = f"{event}-{field}-implausible"
    return ProposedRule(_marking(name, event, field, range=(low, high)), why)


def _told(column: Column) -> str:
    low, middle, high = (column.quantile(share) for share in (0.01, 0.5, 0.99))
    return f"median {middle:.4g}, 98 % between {low:.4g} and {high:.4g}"


def _around(column: Column) -> tuple[float, float]:
    """A range beyond which a value is hardly meant so, on the side of zero where they lie."""
    high, low = column.quantile(0.999), column.quantile(0.001)
    if column.quantile(0.5) < 0:
        return -rounded_up(-10 * low), 0
    return 0, rounded_up(10 * max(high, 1))


def rounded_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 and so on.

    >>> rounded_up(1_337), rounded_up(0.03)
    (2000.0, 0.05)
    """
    step = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    found = next((step * times for times in (1, 2, 5, 10) if step * times >= value), step * 10)
    return round(found, 12)


def _allowed(event: str, field: str, column: Column) -> Iterator[ProposedRule]:
    all_told = sum(count for _, count in column.top) == column.present
    if column.present < LEAST_RECORDS or column.distinct > MOST_ALLOWED or not all_told:
        return
    values = tuple(text for text, _ in column.top)
    why = ", ".join(f"{text} {count / column.present:.1%}" for text, count in column.top)
    name = f"{event}-{field}-unknown"
    yield ProposedRule(_marking(name, event, field, allowed=values), why)


def _marking(name: str, event: str, field: str, **kind: Any) -> Rule:
    """A rule that only marks."""
    parts = {
        "name": name.replace("_", "-"),
        "event": event,
        "field": field,
        "action": "mark",
        **kind,
    }
    return msgspec.convert(parts, Rule)
