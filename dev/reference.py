"""Writes docs/reference: settings, commands and events, and their JSON Schemas, from the code.

python dev/reference.py                  into docs/reference
python dev/reference.py FOLDER           elsewhere, to compare
"""

# ruff: noqa: INP001  a script of its own, in no package

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from streamwatch.adapters.settings.environment import variables
from streamwatch.adapters.settings.text import DRAFT, settings_schema, tap_schema
from streamwatch.cli.main import streamwatch
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.incidents import Incident

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
HEADER = "<!-- Made by `make generated`; change the code and make it anew. -->\n\n"
HELP_WIDTH = 96
NO_LIMIT = 1_000_000_000
"""Highest values from here on only keep numbers from overflowing."""

EDITORS = """\
Editors that know the language server for YAML complete and check a file that begins with

```text
# yaml-language-server: $schema=streamwatch.schema.json
```

and lies beside the schema that `streamwatch config schema` prints.
"""


def main() -> None:
    """Write all pages and schemas."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE
    for name, text in {**pages(), **schemas()}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """File name → text of each page."""
    texts = {
        "settings.md": "\n".join(settings_page()),
        "tap-files.md": "\n".join(tap_page()),
        "commands.md": "\n".join(commands_page()),
        "events.md": "\n".join(events_page()),
    }
    return {name: f"{HEADER}{text.rstrip()}\n" for name, text in texts.items()}


def schemas() -> dict[str, str]:
    """File name → text of each JSON Schema."""
    found = {"streamwatch": settings_schema(), "tap": tap_schema(), "incident": _schema(Incident)}
    found |= {name: _schema(kind.received) for name, kind in EVENT_TYPES.items()}
    return {
        f"schemas/{name}.schema.json": json.dumps(schema, indent=2) + "\n"
        for name, schema in found.items()
    }


def _schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    (_,), components = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    top = components.pop(struct.__name__)
    for schema in components.values():
        schema.pop("description", None)
    top.pop("description", None)
    return {"$schema": DRAFT, **top, **({"$defs": components} if components else {})}


def settings_page() -> Iterator[str]:
    """Every key of streamwatch.yaml."""
    yield "# Settings"
    yield ""
    yield "Every key of `streamwatch.yaml`. How values are written, and what secrets are, stands in"
    yield "[configuration](../configuration.md). [JSON Schema](schemas/streamwatch.schema.json)."
    yield ""
    yield EDITORS
    yield from _sections(settings_schema())
    yield "## Environment variables"
    yield ""
    yield "They go over the file; see [configuration](../configuration.md#environment)."
    yield ""
    yield from (f"- `{name}`" for name in sorted(variables()))


def tap_page() -> Iterator[str]:
    """Every key of a tap file."""
    yield "# Tap files"
    yield ""
    yield "Every key of a file in `tap_config/`; [taps](../taps.md) explains them."
    yield "[JSON Schema](schemas/tap.schema.json)."
    yield ""
    yield from _sections(tap_schema())


def _sections(schema: dict[str, Any]) -> Iterator[str]:
    """A table for the file, then one for each part of it, by the path that leads there."""
    places: dict[str, str] = {}
    for name, path in _places(schema, schema["$defs"]):
        places.setdefault(name, path)
    yield from _properties(schema, "The file", places)
    for name, path in places.items():
        yield from _properties(_shape(schema["$defs"][name]), path, places)


def _shape(component: dict[str, Any]) -> dict[str, Any]:
    """The form of a part that has keys; an empty one where it has none."""
    forms = [component, *component.get("anyOf", [])]
    return next((one for one in forms if one.get("properties")), {})


def _places(
    schema: dict[str, Any], parts: dict[str, Any], path: str = ""
) -> Iterator[tuple[str, str]]:
    """The name of every part that has keys → where it stands in the file."""
    for key, field in schema.get("properties", {}).items():
        for end, inner in (
            ("", field),
            ("[]", field.get("items")),
            (".NAME", field.get("additionalProperties")),
        ):
            name = inner.get("$ref", "").rpartition("/")[2] if isinstance(inner, dict) else ""
            if name and _shape(parts[name]):
                yield name, f"{path}{key}{end}"
                yield from _places(_shape(parts[name]), parts, f"{path}{key}{end}.")


def _properties(schema: dict[str, Any], title: str, places: dict[str, str]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        default = "required" if name in required else _default(field)
        meaning = field.get("description", "").replace("|", "\\|")
        yield f"| `{name}` | {_type(field, places)} | {default} | {meaning} |"
    yield ""


def _type(field: dict[str, Any], places: dict[str, str]) -> str:
    """A field's type in words."""
    if "$ref" in field:
        path = places.get(field["$ref"].rpartition("/")[2], "")
        anchor = re.sub(r"[^\w-]", "", path.lower())
        return f"[{path}](#{anchor})" if path else "text or mapping"
    if "anyOf" in field:
        kinds = [_type(one, places) for one in field["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"] if value is not None)
    if field.get("type") == "array":
        items = field.get("items")
        return f"list of {_type(items, places)}" if isinstance(items, dict) else "list"
    if isinstance(field.get("additionalProperties"), dict):
        return f"mapping to {_type(field['additionalProperties'], places)}"
    kind = field.get("type", "any")
    if isinstance(kind, list):
        return "text" if "boolean" in kind else " or ".join(map(str, kind))
    if "pattern" in field:
        return _written(field["pattern"])
    words = {"string": "text", "boolean": "truth", "object": "mapping"}
    return words.get(kind, str(kind)) + _bounds(field)


def _written(pattern: str) -> str:
    """What text of a pattern is."""
    if "ms" in pattern:
        return "length of time"
    return "size" if "B" in pattern else "share"


def _bounds(field: dict[str, Any]) -> str:
    if "minimum" not in field and "maximum" not in field:
        return ""
    low = f"{field['minimum']:,f}".rstrip("0").rstrip(".")
    high = field["maximum"]
    return f", from {low}" if high >= NO_LIMIT else f", {low} to {high:,}"


def _default(field: dict[str, Any]) -> str:
    if "default" not in field or field["default"] is None:
        return ""
    text = json.dumps(field["default"], ensure_ascii=False)
    return f"`{text}`" if len(text) <= HELP_WIDTH else "see the file in the project's root"


def commands_page() -> Iterator[str]:
    """The help of every command."""
    yield "# Commands"
    yield ""
    yield "What `--help` says of each. Exit codes stand in"
    yield "[operations](../operations.md#exit-codes)."
    yield ""
    context = click.Context(
        streamwatch,
        info_name="streamwatch",
        terminal_width=HELP_WIDTH,
        max_content_width=HELP_WIDTH,
    )
    yield from _help(streamwatch, context)


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    level = "##" if context.parent is None or context.parent.parent is None else "###"
    yield f"{level} {context.command_path}"
    yield ""
    yield "```text"
    yield "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield "```"
    yield ""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                inner = click.Context(found, parent=context, info_name=name)
                yield from _help(found, inner)


def events_page() -> Iterator[str]:
    """The fields of the input events and of incidents."""
    yield "# Event schemas"
    yield ""
    yield "What the input topics hold when nothing is mapped, and what `streamwatch.incidents`"
    yield "holds. `time` is text (RFC 3339) or seconds or milliseconds since 1970. Units stand in"
    yield "[configuration](../configuration.md#sources-where-a-field-stands); how incidents are"
    yield "sent, in [alerting](../alerting.md#incidents-on-kafka-and-by-webhook)."
    yield ""
    for name, kind in EVENT_TYPES.items():
        yield from _fields(name, _schema(kind.received))
    yield from _fields("incident", _schema(Incident))


def _fields(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield f"[JSON Schema](schemas/{name}.schema.json)"
    yield ""
    yield "| field | type | |"
    yield "|---|---|---|"
    for field, of in schema["properties"].items():
        need = "required" if field in schema.get("required", []) else ""
        kind = "object: see the schema" if "$ref" in of else _type(of, {})
        yield f"| `{field}` | {kind} | {need} |"
    yield ""


if __name__ == "__main__":
    main()
