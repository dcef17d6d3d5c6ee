"""From samples of records to a proposed configuration."""

import re
from collections.abc import Iterator, Mapping, Sequence

from streamwatch.domain.events import EVENT_TYPES
from streamwatch.onboarding.columns import Column, columns_of
from streamwatch.onboarding.draft import LEAST_ZONED, Draft, Given
from streamwatch.onboarding.limits import rules_for
from streamwatch.onboarding.match import event_type_of, matches
from streamwatch.onboarding.proposal import Proposal, Segment
from streamwatch.onboarding.sample import Sample
from streamwatch.onboarding.split import returns_among
from streamwatch.onboarding.telling import shares

CUTS = ("gender", "category", "fit_preference")
"""Labels that may cut shops into segments."""

MOST_IN_SEGMENT = 12
_CURRENCY = re.compile(r"[A-Za-z]{3}")


def propose(name: str, samples: Mapping[str, Sample], given: Given = Given()) -> Proposal:  # noqa: B008  # frozen
    """The configuration that samples suggest.

    Args:
        name: of the file or topic.
        samples: topic → its sample; the empty topic for lines that name none.
        given: what is known beforehand.
    """
    drafts = [
        draft
        for topic, sample in samples.items()
        if sample.rows
        for draft in _drafts(name, topic, sample, given)
    ]
    currencies = [one.matched["currency"].column for one in drafts if "currency" in one.matched]
    return Proposal(
        name=name,
        sources=tuple(draft.source() for draft in drafts),
        rules=tuple(
            rule
            for draft in drafts
            for rule in rules_for(draft.event_type, draft.columns, draft.units)
        ),
        segments=tuple(_segments(drafts)),
        currencies=_codes(currencies) or ((given.currency,) if given.currency else ()),
        currencies_why=shares(currencies[0]) if currencies else "",
        split=next((draft.split for draft in drafts if draft.split), None),
        line_ids=any(draft.needs_ids for draft in drafts),
        zone_unknown=any(draft.zone_unknown for draft in drafts),
    )


def _drafts(name: str, topic: str, sample: Sample, given: Given) -> Iterator[Draft]:
    """One draft, or two where a file holds purchases and returns."""
    columns = columns_of(sample.rows)
    kind, why = event_type_of(columns, topic or name)
    if given.event is not None:
        kind, why = EVENT_TYPES[given.event], "as you said"
    topic = topic or given.topic or kind.name
    matched = matches(kind, columns)
    quantity = matched.get("quantity")
    split = None
    if kind.name == "purchase" and quantity is not None and given.can_number:
        split = returns_among(quantity.column, columns)
    if split is None:
        yield Draft(name, topic, kind, why, sample, matched, columns, given)
        return
    for name_of, is_return in (("purchase", False), ("return", True)):
        place = split.path.split(".")
        rows = [row for row in sample.rows if _begins(row, place, split.beginning) == is_return]
        part = Sample(sample.room, rows, sample.step, sample.seen * len(rows) // len(sample.rows))
        own, found = EVENT_TYPES[name_of], columns_of(rows)
        told = f"`{split.path}` {'begins' if is_return else 'does not begin'} with"
        yield Draft(
            name,
            name_of,
            own,
            f"{told} {split.beginning}" if is_return else f"{why}; {told} {split.beginning}",
            part,
            {key: one for key, one in matches(own, found).items() if key != "event_id"}
            if "event_id" not in matched
            else matches(own, found),
            found,
            given,
            split,
        )


def _begins(row: Mapping[str, object], place: Sequence[str], beginning: str) -> bool:
    value: object = row
    for key in place:
        value = value.get(key) if isinstance(value, dict) else None
    return value is not None and str(value).startswith(beginning)


def _segments(drafts: Sequence[Draft]) -> Iterator[Segment]:
    for label in CUTS:
        found = [
            draft.columns[label]
            for draft in drafts
            if label in draft.event_type.labels and label in draft.columns
        ]
        fitting = [one for one in found if 1 < one.distinct <= MOST_IN_SEGMENT]
        if fitting and fitting[0].missing < LEAST_ZONED:
            yield Segment(label, shares(fitting[0]))


def _codes(columns: Sequence[Column]) -> tuple[str, ...]:
    found = [text.strip().upper() for column in columns for text, _ in column.top]
    return tuple(dict.fromkeys(text for text in found if _CURRENCY.fullmatch(text)))
