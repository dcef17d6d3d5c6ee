"""A draft of one source: its columns matched to fields, and what speaks for each match."""

import re
from collections.abc import Iterator

import msgspec

from streamwatch.domain.events import EventType
from streamwatch.domain.source_settings import FieldMapping
from streamwatch.onboarding import measures
from streamwatch.onboarding.columns import Column
from streamwatch.onboarding.match import LEAST_SCORE, Match
from streamwatch.onboarding.names import unit_word
from streamwatch.onboarding.proposal import Field, Source
from streamwatch.onboarding.sample import Sample
from streamwatch.onboarding.shops import described, span
from streamwatch.onboarding.split import Split
from streamwatch.onboarding.telling import percent, shares

LEAST_ZONED = 0.5
SURELY = 0.9
"""Share of plausible values from which a unit in a key's name is believed."""

LENIENT_FROM = 0.01
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


class Draft(msgspec.Struct, frozen=True):
    """One topic's records, matched.

    Attributes:
        name: of the file or topic that was looked at.
        topic, event_type: proposed, ``why`` says what speaks for the type.
        sample: the records.
        matched: field → the column that holds it.
        all_columns: path → column, those without a field too.
        given: what was known beforehand.
        split: how returns are told among purchases, if the file holds both.
    """

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
        """Field → the column that holds it."""
        return {field: match.column for field, match in self.matched.items()}

    @property
    def needs_ids(self) -> bool:
        """Whether records have no id of their own, and can be numbered."""
        return "event_id" not in self.matched and self.given.can_number

    @property
    def zone_unknown(self) -> bool:
        """Whether most times stand there without an offset from UTC."""
        time = self.columns.get("time")
        return time is not None and time.zoned < LEAST_ZONED

    @property
    def units(self) -> dict[str, str]:
        """Measure → the unit of its values, where no field beside them tells it."""
        found = {}
        for feature in measures.RANGES:
            column = self.columns.get(feature)
            if column is not None and f"{feature}_unit" not in self.matched:
                found[feature] = _unit(column, feature)
        return found

    def source(self) -> Source:
        """What is proposed for this source."""
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
            parts.append(shares(self.matched[f"{field}_unit"].column))
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
            parts.append(shares(column))
        if column.missing > 0:
            parts.append(f"missing in {percent(column.missing)}")
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
                yield f"quantity is below zero in {percent(below)}: returns or corrections?"
        price = self.columns.get("price")
        free = 0.0 if price is None else float((price.numbers == 0).mean())
        if free:
            yield f"price is zero in {percent(free)}: gifts, or no sales at all?"

    def _other_times(self) -> str:
        for column in self.all_columns.values():
            if column.top and _OTHER_TIME.match(column.top[0][0]):
                return f"`{column.path}` ({column.top[0][0]}) must be ISO 8601 or epoch seconds"
        return ""


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
        f"{unit}: median {column.quantile(0.5):.4g}, {percent(share)} are plausible {unit}"
        f"{' and the name says so' if named else ''}"
    )
