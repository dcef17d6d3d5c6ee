"""The field mapping of one source: where each field of the event stands in the client's JSON."""

import re
from typing import Any

import msgspec

from streamwatch.domain.events import EVENT_TYPES, Received
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import SourceSettings

LONGEST_NAME = 200
"""Characters that an event id or a shop's name may have."""

_FOOT = r"(?:'|\u2032|\u2019|ft\.?|feet|foot)"
_INCH = r"(?:\"|\u2033|\u201d|''|in\.?|inch(?:es)?)"
_FEET_INCHES = re.compile(
    rf"\s*([0-9]{{1,2}})\s*{_FOOT}\s*(?:([0-9]{{1,2}}(?:\.[0-9]+)?)\s*{_INCH}?)?\s*", re.IGNORECASE
)


def inches_from_text(text: str) -> float | None:
    """A length written in feet and inches, in inches; ``None`` if it is not written so.

    >>> inches_from_text("5'11"), inches_from_text("6 ft"), inches_from_text("180")
    (71.0, 72.0, None)
    """
    match = _FEET_INCHES.fullmatch(text)
    return None if match is None else int(match[1]) * 12 + float(match[2] or 0)


class FieldReader:
    """Reads an event out of an untyped JSON object, and says which field is wrong.

    It is the forgiving way: whole numbers pass where text is wanted (many clients send
    numeric ids), and so do heights in feet and inches.
    """

    def __init__(self, source: SourceSettings) -> None:
        self._type = EVENT_TYPES[source.event]
        self._fields = msgspec.structs.fields(self._type.received)
        self._strict = source.types == "strict"
        self._paths: dict[str, list[str]] = {f.name: [f.name] for f in self._fields}
        self._constants: dict[str, str | float] = {}
        for name, mapping in source.fields.items():
            if mapping.constant is not None:
                self._constants[name] = mapping.constant
            elif mapping.path is not None:
                self._paths[name] = mapping.path.split(".")
            unit_field = self._type.units.get(name)
            if unit_field is not None and mapping.unit is not None:
                self._constants[unit_field] = mapping.unit
            elif unit_field is not None and mapping.unit_path is not None:
                self._paths[unit_field] = mapping.unit_path.split(".")
        shopper = self._paths["shopper"]
        # Where the shopper stands nothing else is read, so that no field is a copy of it.
        self._paths = {
            name: path
            for name, path in self._paths.items()
            if name == "shopper" or path[: len(shopper)] != shopper
        }
        self._texts = {f.name for f in self._fields if f.type in (str, str | None)}
        # Numbers come before their units, since a height in feet and inches sets its own.
        self._wanted = [item for item in self._paths.items() if item[0] not in self._constants]

    def renames(self) -> dict[str, str] | None:
        """Field → key of the JSON object, or ``None`` if that is not the whole mapping."""
        keys = [path[0] for path in self._paths.values()]
        nested = any(len(path) > 1 for path in self._paths.values())
        if nested or self._constants or len(set(keys)) < len(self._fields):
            return None
        return {name: path[0] for name, path in self._paths.items()}

    def event(self, raw: dict[str, Any]) -> Received | Refusal:
        """The event, or a reject that names the first field that is wrong."""
        found = dict(self._constants)
        for name, path in self._wanted:
            given = raw.get(path[0]) if len(path) == 1 else _follow(raw, path)
            if given is None:
                continue
            kind = type(given)
            if kind is int and name in self._texts:
                given = str(given)
            elif kind is str and name in self._type.units:
                inches = inches_from_text(given)
                if inches is not None:
                    given, found[self._type.units[name]] = inches, "in"
            found.setdefault(name, given)
        try:
            return msgspec.convert(found, self._type.received, strict=self._strict)
        except (msgspec.ValidationError, OverflowError):
            return self._blame(found)

    def _blame(self, found: dict[str, Any]) -> Refusal:
        reason, blamed = "wrong-type", ""
        for field in self._fields:
            if field.name not in found:
                if field.required:
                    reason, blamed = "missing-required", field.name
                    break
                continue
            try:
                msgspec.convert(found[field.name], field.type, strict=self._strict)
            except (msgspec.ValidationError, OverflowError):
                blamed = field.name
                break
        event_id, shop = (_short_text(found.get(name)) for name in ("event_id", "shop"))
        return Refusal("reject", "decode", reason, blamed, event_id, shop)


def _short_text(value: Any) -> str | None:
    return value[:LONGEST_NAME] if isinstance(value, str) and value else None


def _follow(raw: Any, path: list[str]) -> Any:
    for key in path:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw
