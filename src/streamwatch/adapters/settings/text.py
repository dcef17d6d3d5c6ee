"""Settings as the text of a file, and the JSON Schemas of the files; secrets hidden."""

from typing import Any

import msgspec
import yaml

from streamwatch.adapters.settings.fields import MEANINGS, Meaning, TapColumn, TapFile
from streamwatch.adapters.yaml.located import without_secrets
from streamwatch.adapters.yaml.scalars import (
    DURATION_PATTERN,
    SHARE_PATTERN,
    SIZE_PATTERN,
    written_duration,
    written_size,
)
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import FieldMapping
from streamwatch.domain.tap_settings import ColumnShape, Filter, TapSettings

_AS_TEXT = ["string", "number", "boolean"]
"""What a file may hold where text is wanted: it is taken as it is written."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def plain_settings(settings: Settings) -> dict[str, Any]:
    """The settings as a file would hold them, with passwords of addresses hidden."""
    plain: dict[str, Any] = _plain(settings)
    return plain


def plain_tap(tap: TapSettings) -> dict[str, Any]:
    """A tap as its file would hold it."""
    file = TapFile(
        event=tap.event,
        after=tap.stages,
        columns=tuple(TapColumn(name, tap.shapes.get(name, ColumnShape())) for name in tap.columns),
        filter=tap.filter,
        sample=tap.sample,
        rate=tap.rate,
        budget=tap.budget,
        retention=tap.retention,
        max_rows=tap.max_rows,
        max_bytes=tap.max_bytes,
        on_slow=tap.on_slow,
    )
    plain: dict[str, Any] = _plain(file)
    del plain["tests"]
    if tap.filter == Filter(expression=tap.filter.expression) != Filter():
        plain["filter"] = tap.filter.expression
    elif not tap.filter.expression:
        del plain["filter"]["expression"]
    return plain


def settings_yaml(settings: Settings) -> str:
    """The text of a file that gives these settings again, but for hidden passwords."""
    text: str = yaml.safe_dump(
        plain_settings(settings), sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    return text


def _plain(value: Any, meaning: Meaning | None = None, *, entry: bool = False) -> Any:
    """A value of a file; of an ``entry`` of a list or mapping only what is no default."""
    if isinstance(value, TapColumn):
        shape = _plain(value.shape, entry=True)
        return {value.name: shape} if shape else value.name
    if isinstance(value, msgspec.Struct):
        meanings = MEANINGS[type(value)]
        return {
            field.name: _plain(inner, meanings[field.name])
            for field in msgspec.structs.fields(value)
            if (inner := getattr(value, field.name)) is not None
            and not (entry and inner == _default(field))
        }
    if isinstance(value, dict):
        return {key: _plain(inner, entry=True) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner, entry=True) for inner in value]
    if meaning is not None and meaning.form == "duration":
        return written_duration(value)
    if meaning is not None and meaning.form == "size":
        return written_size(value)
    return without_secrets(value) if isinstance(value, str) else value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def settings_schema() -> dict[str, Any]:
    """The JSON Schema of ``streamwatch.yaml``."""
    return _schema(Settings, "streamwatch.yaml")


def tap_schema() -> dict[str, Any]:
    """The JSON Schema of a file in the tap folder."""
    return _schema(TapFile, "a file in tap_config/")


def _schema(root: type[msgspec.Struct], title: str) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([root], ref_template="#/$defs/{name}")
    for struct, meanings in MEANINGS.items():
        if struct.__name__ in components:
            properties = components[struct.__name__]["properties"]
            for name, meaning in meanings.items():
                properties[name] = _described(properties[name], meaning)
    if FieldMapping.__name__ in components:
        mapping = components[FieldMapping.__name__]
        components[FieldMapping.__name__] = {
            "anyOf": [{"type": "string", "description": "the path alone"}, mapping]
        }
    if TapColumn.__name__ in components:
        shape = {"$ref": "#/$defs/ColumnShape"}
        shapes: dict[str, Any] = {"type": "object", "additionalProperties": shape}
        shapes |= {"minProperties": 1, "maxProperties": 1}
        components[TapColumn.__name__] = {
            "anyOf": [{"type": "string", "description": "the field as it is"}, shapes]
        }
    if Filter.__name__ in components:
        words = {"type": "string", "description": "a condition in words"}
        components[Filter.__name__] = {"anyOf": [words, components[Filter.__name__]]}
    for component in components.values():
        component.pop("description", None)  # a docstring; what is needed stands at the fields
    top = components.pop(root.__name__)
    return {"$schema": DRAFT, **top, "title": title, "$defs": components}


def _described(schema: dict[str, Any], meaning: Meaning) -> dict[str, Any]:
    described = dict(schema)
    for inside in ("items", "additionalProperties"):
        if schema.get(inside) == {"type": "string"}:
            described[inside] = {"type": _AS_TEXT}
        elif isinstance(schema.get(inside), dict) and "anyOf" in schema[inside]:
            described[inside] = {"type": [*_AS_TEXT, "null"]}
    if "$ref" in schema:
        described.pop("default", None)  # stands at the section's own fields
    if meaning.form == "duration":
        described = {"type": "string", "pattern": DURATION_PATTERN}
        if "default" in schema:
            described["default"] = written_duration(schema["default"])
    elif meaning.form == "size":
        described = {"type": "string", "pattern": SIZE_PATTERN}
        if schema.get("default") is not None:
            described["default"] = written_size(schema["default"])
    elif meaning.low is not None:
        described |= {"minimum": meaning.low, "maximum": meaning.high}
    if meaning.form == "share":
        described.pop("type")
        written = {"type": "string", "pattern": SHARE_PATTERN}
        bounds = {"type": "number", "minimum": meaning.low, "maximum": meaning.high}
        described = {"anyOf": [written, bounds], "default": schema.get("default", 1)}
    return described | {"description": meaning.text}
