"""Whether the sources make sense: topics, field mappings, units, required fields."""

import re
from collections.abc import Iterator

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.findings import Finding, Path, did_you_mean
from streamwatch.domain.messages import INCIDENTS_TOPIC, READINGS_TOPIC, VERDICTS_TOPIC, prefixed
from streamwatch.domain.source_settings import FieldMapping, SourceSettings

UNITS = {
    "height": ("cm", "m", "mm", "in", "ft", "ft+in"),
    "weight": ("kg", "g", "lb", "st"),
}
"""Numeric feature → the units that a source may declare for it."""

WITH_SCHEMA = ("avro", "json-schema", "protobuf")
OWN_TOPICS = (READINGS_TOPIC, VERDICTS_TOPIC, INCIDENTS_TOPIC)
PER_RECORD = ("event_id", "time")
ALWAYS_REQUIRED = ("event_id", "shop", "time")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


def check_sources(sources: tuple[SourceSettings, ...], prefix: str) -> Iterator[Finding]:
    """What cannot work about the sources; ``prefix`` is that of the internal topics."""
    own_topics = [prefixed(topic, prefix) for topic in OWN_TOPICS]
    topics: set[str] = set()
    for position, source in enumerate(sources):
        path: Path = ("sources", position)
        where = f"source {source.topic}"
        if not _TOPIC.fullmatch(source.topic) or source.topic in {".", ".."}:
            text = f"topic `{source.topic}`: letters, digits, dots, dashes and underscores only"
            yield Finding((*path, "topic"), text)
        elif source.topic in own_topics or source.topic.endswith(".dlq"):
            text = f"topic `{source.topic}` is one that streamwatch itself writes"
            yield Finding((*path, "topic"), text)
        elif source.topic in topics:
            yield Finding((*path, "topic"), f"topic `{source.topic}` is the source of two entries")
        topics.add(source.topic)
        event_type = EVENT_TYPES[source.event]
        names = event_type.received.__struct_fields__
        for field, mapping in source.fields.items():
            within = (*path, "fields", field)
            if field not in names:
                hint = did_you_mean(field, names)
                yield Finding(within, f"unknown key `{field}` in fields of {where}{hint}")
            else:
                yield from _check_mapping(field, mapping, event_type, within, where)
        yield from check_format(source, path)
        yield from _check_identity(source, path)
        yield from _check_unit_twice(source, event_type, path)
        yield from _check_required(source, names, path)


def check_format(source: SourceSettings, path: Path) -> Iterator[Finding]:
    """What cannot work about a format; whether a registry is needed is known once all is read."""
    if source.schema is not None and source.format not in WITH_SCHEMA:
        having = ", ".join(WITH_SCHEMA)
        text = f"format {source.format} has no schema; only these have one: {having}"
        yield Finding((*path, "schema"), text)
    if source.message is not None and (source.format != "protobuf" or source.schema is None):
        text = "message is for format protobuf with a descriptor set under `schema`"
        yield Finding((*path, "message"), text)


def _check_mapping(
    field: str, mapping: FieldMapping, event_type: EventType, path: Path, where: str
) -> Iterator[Finding]:
    of = f"field `{field}` of {where}"
    if mapping.path is not None and not all(mapping.path.split(".")):
        yield Finding((*path, "path"), f"path of {of} must be keys joined by single dots")
    if mapping.path is not None and mapping.constant is not None:
        yield Finding(path, f"{of} has both a path and a constant; keep one")
    if mapping.constant is not None:
        yield from _check_constant(field, mapping.constant, event_type, (*path, "constant"), of)
    yield from _check_unit(field, mapping, event_type, path, of)


def _check_constant(
    field: str, constant: str | float, event_type: EventType, path: Path, of: str
) -> Iterator[Finding]:
    numeric = field in event_type.numbers
    if field in PER_RECORD:
        yield Finding(path, f"{of} differs from record to record, so it cannot be constant")
    elif numeric and isinstance(constant, str):
        yield Finding(path, f"{of} is numeric; its constant must be a number")
    elif not numeric and not isinstance(constant, str):
        yield Finding(path, f"{of} is text; put its constant in quotes")


def _check_unit(
    field: str, mapping: FieldMapping, event_type: EventType, path: Path, of: str
) -> Iterator[Finding]:
    if mapping.unit is None and mapping.unit_path is None:
        return
    if field not in event_type.units:
        key = "unit" if mapping.unit is not None else "unit_path"
        having = " and ".join(event_type.units) or "no field of this event type"
        yield Finding((*path, key), f"{of} has no unit; only these have one: {having}")
        return
    if mapping.unit is not None and mapping.unit_path is not None:
        yield Finding(path, f"{of} has both a unit and a unit_path; keep one")
    if mapping.unit is not None and mapping.unit not in UNITS[field]:
        hint = did_you_mean(mapping.unit, UNITS[field])
        yield Finding((*path, "unit"), f"unknown unit `{mapping.unit}` in {of}{hint}")
    if mapping.unit_path is not None and not all(mapping.unit_path.split(".")):
        yield Finding((*path, "unit_path"), f"unit_path of {of} must be keys joined by single dots")


def _check_identity(source: SourceSettings, path: Path) -> Iterator[Finding]:
    """No other field may be read from where the shopper stands: it would not be stripped."""
    unmapped = FieldMapping()
    shopper = source.fields.get("shopper", unmapped).path or "shopper"
    for field in EVENT_TYPES[source.event].event.__struct_fields__:
        mapping = source.fields.get(field, unmapped)
        read_from = field if mapping.path is None else mapping.path
        for place in (read_from if mapping.constant is None else None, mapping.unit_path):
            if place is not None and f"{place}.".startswith(f"{shopper}."):
                text = f"`{field}` of source {source.topic} would be a copy of the shopper"
                yield Finding((*path, "fields", field), f"{text}; identity is never kept")


def _check_unit_twice(
    source: SourceSettings, event_type: EventType, path: Path
) -> Iterator[Finding]:
    for number, unit_field in event_type.units.items():
        mapping = source.fields.get(number)
        by_number = mapping is not None and (mapping.unit or mapping.unit_path)
        if by_number and unit_field in source.fields:
            text = f"the unit of `{number}` stands twice: in its own entry and as `{unit_field}`"
            yield Finding((*path, "fields", unit_field), text)


def _check_required(
    source: SourceSettings, names: tuple[str, ...], path: Path
) -> Iterator[Finding]:
    for position, field in enumerate(source.required):
        place = (*path, "required", position)
        if field not in names:
            hint = did_you_mean(field, names)
            text = f"{source.event} has no field `{field}` (required of source {source.topic})"
            yield Finding(place, f"{text}{hint}")
        elif field in ALWAYS_REQUIRED:
            yield Finding(place, f"`{field}` is required of every record; leave it out here")
        elif field in source.required[:position]:
            yield Finding(place, f"`{field}` stands twice in required of source {source.topic}")
