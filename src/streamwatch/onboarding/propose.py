"""From samples of records to a proposed configuration."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.source_settings import FieldMapping
from streamwatch.onboarding import measures
from streamwatch.onboarding.columns import Column, columns_of
from streamwatch.onboarding.limits import rules_for
from streamwatch.onboarding.match import LEAST_SCORE, MOST_LABELS, Match, event_type_of, matches
from streamwatch.onboarding.names import unit_word
from streamwatch.onboarding.proposal import Field, Proposal, Segment, Source
from streamwatch.onboarding.sample import Sample
from streamwatch.onboarding.shops import described, span
from streamwatch.onboarding.split import Split, returns_among

CUTS = ("gender", "category", "fit_preference")
"""Labels that may cut shops into segments."""

MOST_IN_SEGMENT = 12
LEAST_ZONED = 0.5
SURELY = 0.9
"""Share of plausible values from which a unit in a key's name is believed."""

LENIENT_FROM = 0.01
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_OTHER_TIME = re.compile(r"[0-9]{1,2}[/.][0-9]{1,2}[/.][0-9]{2,4}")


class Given(msgspec.Struct, frozen=True):
    """What the user says beforehand; ``None`` is found out or left open.

    Attributes:
        event: the event type.
        topic: the topic of a file's lines.
        shop: the shop that sends all records, where they do not say it.
        currency: of all prices, likewise.
        form: the format of a topic's records.
        can_number: whether records without an id can get their place in a file as id.
    """

    event: str | None = None
    topic: str | None = None
    shop: str | None = None
    currency: str | None = None
    form: str = "json"
    can_number: bool = True


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
        currencies_why=_shares(currencies[0]) if currencies else "",
        split=next((draft.split for draft in drafts if draft.split), None),
        line_ids=any(draft.needs_ids for draft in drafts),
        zone_unknown=any(draft.zone_unknown for draft in drafts),
    )


class _Draft(msgspec.Struct, frozen=True):
    """One topic's records, matched."""

    name: str
    topic: str
    event_type: EventType
    why: str
    sample: Sample
    matched: dict[str, Match]
    all_columns: dict[str, Column]
    given: Given
    split: Split | None = None

    @property
    def columns(self) -> dict[str, Column]:
        return {field: match.column for field, match in self.matched.items()}

    @property
    def needs_ids(self) -> bool:
        return "event_id" not in self.matched and self.given.can_number

    @property
    def zone_unknown(self) -> bool:
        time = self.columns.get("time")
        return time is not None and time.zoned < LEAST_ZONED

    @property
    def units(self) -> dict[str, str]:
        found = {}
        for feature in measures.RANGES:
            column = self.columns.get(feature)
            if column is not None and f"{feature}_unit" not in self.matched:
                found[feature] = _unit(column, feature)
        return found

    def source(self) -> Source:
        columns, shop = self.columns, self.columns.get("shop")
        used = {column.path for column in columns.values()}
        numbers = [columns[name] for name in self.event_type.numbers if name in columns]
        lenient = any(one.as_text > LENIENT_FROM * one.present for one in numbers)
        first, last, days = span(columns["time"]) if "time" in columns else ("", "", 0.0)
        return Source(
            topic=self.topic,
            event=self.event_type.name,
            event_why=self.why,
            lenient=lenient,
            form=self.given.form,
            fields=tuple(self._fields()),
            unused=tuple(path for path in self.all_columns if path not in used),
            records=len(self.sample.rows),
            seen=self.sample.seen,
            first=first,
            last=last,
            shops=described(shop, days, self.sample.step) if shop else "",
            notes=tuple(self._notes()),
        )

    def _fields(self) -> Iterator[Field]:
        for field in self.event_type.received.__struct_fields__:
            if field in self.event_type.units.values():
                continue
            match = self.matched.get(field)
            if match is not None:
                yield Field(field, self._mapping(field, match.column), self._why(field, match))
            elif field == "shop":
                constant = self.given.shop or re.sub(r"\W+", "-", self.name.split(".")[0])
                why = "no column names the shop: one shop sends all of it; see --shop"
                yield Field("shop", FieldMapping(constant=constant), why)
            elif field == "currency" and "price" in self.matched and self.given.currency:
                yield Field(field, FieldMapping(constant=self.given.currency), "as you said")

    def _mapping(self, field: str, column: Column) -> FieldMapping:
        unit_match = self.matched.get(f"{field}_unit")
        if unit_match is not None:
            return FieldMapping(path=column.path, unit_path=unit_match.column.path)
        unit = self.units.get(field)
        return FieldMapping(path=column.path, unit=unit if unit not in ("cm", "kg") else None)

    def _why(self, field: str, match: Match) -> str:
        column = match.column
        parts = [] if match.score > LEAST_SCORE else ["by its values, not by its name"]
        if field in measures.RANGES and field in self.units:
            parts.append(_unit_why(column, field, self.units[field]))
        elif field in measures.RANGES:
            parts.append(_shares(self.matched[f"{field}_unit"].column))
        elif field in self.event_type.numbers:
            parts.append(f"median {column.quantile(0.5):.4g}")
        elif field == "shopper":
            parts.append(f"{column.distinct:,} different; never kept, only as a pseudonym")
        elif field == "event_id":
            parts.append("different in every record")
        elif field == "order_id":
            parts.append(f"{column.distinct:,} different")
        elif field == "time":
            parts.append(f"such as {column.top[0][0]}")
        else:
            parts.append(_shares(column))
        if column.missing > 0:
            parts.append(f"missing in {_percent(column.missing)}")
        return "; ".join(parts)

    def _notes(self) -> Iterator[str]:
        shops = self.columns["shop"].values if "shop" in self.columns else ()
        for feature, unit in self.units.items():
            if not shops or unit == measures.FEET_AND_INCHES:
                continue
            column = self.columns[feature]
            others = measures.other_units(column, shops, feature, unit)
            for shop, (own, median) in others.items():
                yield (
                    f"{feature} of {shop}: median {median:.4g} looks like {own}, that of the "
                    f"others like {unit}; ask this shop, or give it a topic of its own"
                )
        yield from self._gaps()

    def _gaps(self) -> Iterator[str]:
        if "time" not in self.matched:
            yield "no column can be read as a time, so every record would be refused: " + (
                self._other_times() or "say where it stands, under `fields: time`"
            )
        if "event_id" not in self.matched and not self.given.can_number:
            yield "no field differs in every record, so every record would be refused: name one"
        if "price" in self.matched and "currency" not in self.matched and not self.given.currency:
            yield (
                "prices have no currency; if it is the same everywhere, add to fields: "
                "currency: {constant: EUR}"
            )
        quantity = self.columns.get("quantity")
        if quantity is not None and self.event_type.name == "purchase":
            below = float((quantity.numbers < 0).mean())
            if below:
                yield f"quantity is below zero in {_percent(below)}: returns or corrections?"
        price = self.columns.get("price")
        free = 0.0 if price is None else float((price.numbers == 0).mean())
        if free:
            yield f"price is zero in {_percent(free)}: gifts, or no sales at all?"

    def _other_times(self) -> str:
        for column in self.all_columns.values():
            if column.top and _OTHER_TIME.match(column.top[0][0]):
                return f"`{column.path}` ({column.top[0][0]}) must be ISO 8601 or epoch seconds"
        return ""


def _drafts(name: str, topic: str, sample: Sample, given: Given) -> Iterator[_Draft]:
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
        yield _Draft(name, topic, kind, why, sample, matched, columns, given)
        return
    for name_of, is_return in (("purchase", False), ("return", True)):
        place = split.path.split(".")
        rows = [row for row in sample.rows if _begins(row, place, split.beginning) == is_return]
        part = Sample(sample.room, rows, sample.step, sample.seen * len(rows) // len(sample.rows))
        own, found = EVENT_TYPES[name_of], columns_of(rows)
        told = f"`{split.path}` {'begins' if is_return else 'does not begin'} with"
        yield _Draft(
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


def _unit(column: Column, feature: str) -> str:
    if column.feet > column.present / 2:
        return measures.FEET_AND_INCHES
    named = unit_word(column.path)
    by_value = measures.unit_of(column.numbers, feature)
    if named in measures.RANGES[feature] and measures.inside(column, feature, named) > SURELY:
        return named
    return by_value or named or "cm"


def _unit_why(column: Column, feature: str, unit: str) -> str:
    if unit == measures.FEET_AND_INCHES:
        return f"text in feet and inches, such as {column.top[0][0]}"
    share = measures.inside(column, feature, unit)
    named = unit_word(column.path) == unit
    return (
        f"{unit}: median {column.quantile(0.5):.4g}, {_percent(share)} are plausible {unit}"
        f"{' and the name says so' if named else ''}"
    )


def _segments(drafts: Sequence[_Draft]) -> Iterator[Segment]:
    for label in CUTS:
        found = [
            draft.columns[label]
            for draft in drafts
            if label in draft.event_type.labels and label in draft.columns
        ]
        fitting = [one for one in found if 1 < one.distinct <= MOST_IN_SEGMENT]
        if fitting and fitting[0].missing < LEAST_ZONED:
            yield Segment(label, _shares(fitting[0]))


def _codes(columns: Sequence[Column]) -> tuple[str, ...]:
    found = [text.strip().upper() for column in columns for text, _ in column.top]
    return tuple(dict.fromkeys(text for text in found if _CURRENCY.fullmatch(text)))


def _shares(column: Column) -> str:
    if column.distinct > MOST_LABELS:
        return f"{column.distinct:,} different, such as {column.top[0][0][:30]}"
    told = [f"{text[:30]} {_percent(count / column.present)}" for text, count in column.top[:4]]
    more = column.distinct - len(told)
    return ", ".join(told) + (f" and {more:,} more" if more > 0 else "")


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "less than 0.1%"  # noqa: PLR2004
