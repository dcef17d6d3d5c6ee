"""A proposed configuration: each part with the statistics that speak for it."""

import msgspec

from streamwatch.domain.source_settings import FieldMapping, Rule
from streamwatch.onboarding.split import Split


class Field(msgspec.Struct, frozen=True):
    """Where a field of the event stands, and why there."""

    field: str
    mapping: FieldMapping
    why: str


class ProposedRule(msgspec.Struct, frozen=True):
    """A rule, and what the sample says of it."""

    rule: Rule
    why: str


class Source(msgspec.Struct, frozen=True):
    """One topic.

    Attributes:
        topic, event: as in the settings.
        event_why: what speaks for this event type.
        lenient: whether numbers stand there as text.
        form: the format of the topic's records.
        fields: the mapping; fields under their own name are left out of the file.
        unused: paths that serve no field.
        records: how many were sampled, of ``seen``.
    """

    topic: str
    event: str
    event_why: str
    lenient: bool
    form: str
    fields: tuple[Field, ...]
    unused: tuple[str, ...]
    records: int
    seen: int
    first: str = ""
    last: str = ""
    shops: str = ""
    notes: tuple[str, ...] = ()


class Segment(msgspec.Struct, frozen=True):
    """A label by which shops are cut, and its values."""

    label: str
    why: str


class Proposal(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        name: of the file or topic that was looked at.
        sources: one for each topic.
        rules, segments: for all sources.
        currencies: those that were seen; empty if none was.
        currencies_why: how often each.
        split: how returns are told among purchases, if the file holds both.
        line_ids: whether records get their place in the file as event id.
        zone_unknown: whether times stand there without an offset.
        notes: what a person should know or decide.
    """

    name: str
    sources: tuple[Source, ...]
    rules: tuple[ProposedRule, ...] = ()
    segments: tuple[Segment, ...] = ()
    currencies: tuple[str, ...] = ()
    currencies_why: str = ""
    split: Split | None = None
    line_ids: bool = False
    zone_unknown: bool = False
    notes: tuple[str, ...] = ()

    @property
    def needs_routes(self) -> bool:
        """Whether the file's lines need a routes file."""
        return self.line_ids or self.split is not None
