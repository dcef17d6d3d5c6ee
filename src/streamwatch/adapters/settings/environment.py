"""Settings from ``STREAMWATCH_*`` variables, which go over the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import msgspec

from streamwatch.adapters.settings.fields import MEANINGS
from streamwatch.adapters.yaml.located import FileError, Items, Node, Place, Problem, Scalar
from streamwatch.adapters.yaml.typed import REFUSED, TypedReader
from streamwatch.domain.findings import did_you_mean
from streamwatch.domain.settings import Settings

PREFIX = "STREAMWATCH_"
DATABASE_FILE = "STREAMWATCH_DATABASE_FILE"
ELSEWHERE = (
    "STREAMWATCH_PSEUDONYM_KEY",
    "STREAMWATCH_PSEUDONYM_KEY_FILE",
    "STREAMWATCH_SCHEMA_REGISTRY_AUTH",
    "STREAMWATCH_SCHEMA_REGISTRY_AUTH_FILE",
    "STREAMWATCH_WEBHOOK_TOKEN",
    "STREAMWATCH_WEBHOOK_TOKEN_FILE",
    "STREAMWATCH_WEB_TOKEN",
    "STREAMWATCH_WEB_TOKEN_FILE",
    "STREAMWATCH_WEB_WRITE_TOKEN",
    "STREAMWATCH_WEB_WRITE_TOKEN_FILE",
)
"""Variables that other parts read."""

_SECTIONS = ("kafka", "judging", "flush", "webhook", "web", "alertmanager", "tracing", "lineage")


def variables() -> dict[str, tuple[str, ...]]:
    """Every variable that sets a field: its name → the field's keys.

    Lists (`segments`, `currencies`) are written with commas.

    >>> variables()["STREAMWATCH_KAFKA_BOOTSTRAP"]
    ('kafka', 'bootstrap')
    """
    hints = get_type_hints(Settings)
    paths = [(key,) for key, hint in hints.items() if hint in (str, int, bool)]
    paths += [(key,) for key in ("segments", "currencies")]
    nested = [(key, inner) for key in _SECTIONS for inner in get_type_hints(hints[key])]
    return {PREFIX + "_".join(path).upper(): path for path in (*paths, *nested)}


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each ``STREAMWATCH_`` variable that nothing reads."""
    known = {*variables(), DATABASE_FILE, *ELSEWHERE}
    return [
        f"environment variable {name} is not known{_nearest(name, known)}"
        for name in sorted(environment)
        if name.startswith(PREFIX)
        and name not in known
        and not name.startswith("STREAMWATCH_TEST_")
    ]


def _nearest(name: str, known: set[str]) -> str:
    near = did_you_mean(name, known)
    return near if near.startswith("; did") else "; `streamwatch config --help` lists them"


def apply_environment(
    settings: Settings, environment: Mapping[str, str], reader: TypedReader
) -> Settings:
    """The settings with the variables' values; problems are noted in the reader."""
    given = {name: environment[name] for name in variables() if name in environment}
    if DATABASE_FILE in environment and "STREAMWATCH_DATABASE" not in given:
        given["STREAMWATCH_DATABASE"] = _secret(environment[DATABASE_FILE], DATABASE_FILE)
    for name, text in given.items():
        settings = _with(settings, variables()[name], name, text, reader)
    return settings


def _with(
    settings: Settings, path: tuple[str, ...], name: str, text: str, reader: TypedReader
) -> Settings:
    outer = settings if len(path) == 1 else getattr(settings, path[0])
    struct, key = type(outer), path[-1]
    hint = get_type_hints(struct)[key]
    place = Place(f"environment variable {name}", 0, 0)
    node: Node = Scalar(text.strip(), plain=True, place=place)
    if get_origin(hint) is tuple:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        node = Items(tuple(Scalar(part, plain=True, place=place) for part in parts), place)
    value: Any = reader.value(node, hint, MEANINGS[struct][key], path, "the value")
    if value is REFUSED:
        return settings
    changed = msgspec.structs.replace(outer, **{key: value})
    return changed if len(path) == 1 else msgspec.structs.replace(settings, **{path[0]: changed})


def _secret(file: str, variable: str) -> str:
    place = Place(f"environment variable {variable}", 0, 0)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise FileError([Problem(place, f"the file `{file}` cannot be read")]) from None
