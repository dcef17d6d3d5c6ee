"""From a YAML tree to the frozen values of `domain.settings`, all mistakes noted with place."""

import types
from collections.abc import Iterable
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from streamwatch.adapters.settings.fields import MEANINGS, Meaning, TapColumn
from streamwatch.adapters.yaml.located import (
    Entries,
    FileError,
    Items,
    Node,
    Place,
    Problem,
    Scalar,
    place_within,
)
from streamwatch.adapters.yaml.scalars import (
    duration,
    number,
    share,
    size,
    truth,
    whole_number,
    written_duration,
)
from streamwatch.domain.findings import Finding, Path, did_you_mean
from streamwatch.domain.source_settings import FieldMapping
from streamwatch.domain.tap_settings import ColumnShape, Filter

_StructT = TypeVar("_StructT", bound=msgspec.Struct)
REFUSED: Final = object()
"""Stands for a value that was refused; the problem is noted."""

LONGEST_SHOWN = 40
_PLAIN = Meaning("")


class TypedReader:
    """Reads one file; collects its problems, and where each value stands.

    A list item or map entry with a mistake is left out, and a field with a mistake has its
    default, so that what is right can be checked further and all is reported at once.
    """

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._places: dict[Path, Place] = {(): Place(file, 1, 1)}
        self._texts: dict[Path, Scalar] = {}

    def struct(self, tree: Entries, struct: type[_StructT], where: str) -> _StructT | None:
        """The whole file as a struct; ``None`` when a required field is missing or wrong."""
        value = self._struct(tree, struct, where, (), partial=True)
        return value if isinstance(value, struct) else None

    def value(self, node: Node, hint: Any, meaning: Meaning, path: Path, label: str) -> Any:
        """One value from outside the file, such as an environment variable's, or `REFUSED`."""
        self._forget(path)
        return self._read(node, hint, meaning, label, path)

    def note(self, findings: Iterable[Finding]) -> None:
        """Add what the checks found that make the file unusable."""
        self.problems += [self.problem(one) for one in findings if not one.advice]

    def problem(self, finding: Finding) -> Problem:
        """The finding with its place in the file."""
        path = finding.path
        while path not in self._places:
            path = path[:-1]
        place = self._places[path]
        if finding.within is not None and path in self._texts:
            place = place_within(self._texts[path], finding.within)
        return Problem(place, finding.text)

    def stop_if_wrong(self) -> None:
        """Raise `FileError` with all problems, in the file's order, if there are any."""
        if self.problems:
            ordered = sorted(
                set(self.problems),
                key=lambda one: (one.place.file, one.place.line, one.place.column, one.text),
            )
            raise FileError(ordered)

    def _wrong(self, place: Place, text: str) -> object:
        self.problems.append(Problem(place, text))
        return REFUSED

    def _struct(self, tree: Entries, struct: type, where: str, path: Path, *, partial: bool) -> Any:
        hints = get_type_hints(struct)
        fields = {field.name: field for field in msgspec.structs.fields(struct)}
        found: dict[str, Any] = {}
        refused = False
        for key, (key_place, node) in tree.entries.items():
            self._places[*path, key] = node.place if node.place.line else key_place
            if key not in fields:
                within = f" in {where}" if where else ""
                self._wrong(key_place, f"unknown key `{key}`{within}{did_you_mean(key, fields)}")
                refused = True
                continue
            if isinstance(node, Scalar) and node.is_null and not fields[key].required:
                continue
            label = f"{key} of {where}" if where else key
            meaning = MEANINGS[struct][key]
            value = self._read(node, hints[key], meaning, label, (*path, key))
            if value is REFUSED:
                refused = True
            else:
                found[key] = value
        for name, field in fields.items():
            if field.required and name not in tree.entries:
                self._wrong(tree.place, f"{where or 'the file'} lacks `{name}`")
                refused = True
        lacking = any(field.required and name not in found for name, field in fields.items())
        return REFUSED if lacking or (refused and not partial) else struct(**found)

    def _read(self, node: Node, hint: Any, meaning: Meaning, label: str, path: Path) -> Any:
        self._places.setdefault(path, node.place)
        if isinstance(node, Scalar):
            self._texts[path] = node
        origin = get_origin(hint)
        if origin is types.UnionType:
            return self._choice(node, get_args(hint), meaning, label, path)
        if origin is tuple:
            return self._list(node, get_args(hint), label, path)
        if origin is dict:
            return self._map(node, get_args(hint)[1], label, path)
        if origin is not Literal and issubclass(hint, msgspec.Struct):
            return self._nested(node, hint, label, path)
        return self._scalar(node, hint, meaning, label)

    def _nested(self, node: Node, struct: type, label: str, path: Path) -> Any:
        if struct is FieldMapping and isinstance(node, Scalar):
            return FieldMapping(path=node.text)
        if struct is Filter and isinstance(node, Scalar):
            return Filter(expression=node.text)
        if struct is TapColumn:
            return self._column(node, label, path)
        if not isinstance(node, Entries):
            return self._wrong(node.place, f"{label} must hold `key: value` lines")
        return self._struct(node, struct, label, path, partial=len(path) == 1)

    def _column(self, node: Node, label: str, path: Path) -> Any:
        """A column: its name alone, or ``{name: {how it is written}}``."""
        if isinstance(node, Scalar) and not node.is_null:
            return TapColumn(node.text)
        if not isinstance(node, Entries) or len(node.entries) != 1:
            wanted = "a name, or one name with how it is written: {height: {bucket: 10}}"
            return self._wrong(node.place, f"{label} must be {wanted}")
        ((name, (_, inner)),) = node.entries.items()
        if not isinstance(inner, Entries):
            text = f"column {name} must say how it is written, such as {{hash: true}}"
            return self._wrong(inner.place, text)
        shape = self._struct(inner, ColumnShape, f"column {name}", (*path, name), partial=False)
        return REFUSED if shape is REFUSED else TapColumn(name, shape)

    def _choice(
        self, node: Node, hints: tuple[Any, ...], meaning: Meaning, label: str, path: Path
    ) -> Any:
        if isinstance(node, Scalar):
            if node.is_null:
                return None
            if float in hints and str in hints:
                value = number(node)
                return node.text if value is None else value
        return self._read(node, hints[0], meaning, label, path)

    def _list(self, node: Node, hints: tuple[Any, ...], label: str, path: Path) -> Any:
        pair = hints[-1] is not Ellipsis
        if not isinstance(node, Items) or (pair and len(node.items) != len(hints)):
            kind = "two numbers: [lowest, highest]" if pair else "a list, such as [a, b]"
            return self._wrong(node.place, f"{label} must be {kind}")
        values: list[Any] = []
        for position, item in enumerate(node.items):
            place = (*path, len(values))
            value = self._read(item, hints[0], _PLAIN, _item_label(item, label, position), place)
            if value is not REFUSED:
                values.append(value)
            elif pair:
                return REFUSED
            else:
                self._forget(place)
        return tuple(values)

    def _forget(self, path: Path) -> None:
        """An item that was refused leaves its list position, and its places, to the next."""
        for known in [one for one in self._places if one[: len(path)] == path]:
            del self._places[known]
            self._texts.pop(known, None)

    def _map(self, node: Node, hint: Any, label: str, path: Path) -> Any:
        if not isinstance(node, Entries):
            return self._wrong(node.place, f"{label} must hold `key: value` lines")
        values = {}
        for key, (key_place, inner) in node.entries.items():
            self._places[*path, key] = key_place
            value = self._read(inner, hint, _PLAIN, f"{key} in {label}", (*path, key))
            if value is not REFUSED:
                values[key] = value
        return values

    def _scalar(self, node: Node, hint: Any, meaning: Meaning, label: str) -> Any:
        if not isinstance(node, Scalar) or node.is_null:
            return self._wrong(node.place, f"{label} must be a single value")
        if hint is str:
            return node.text
        if get_origin(hint) is Literal:
            return self._one_of(node, get_args(hint), label)
        value, wanted = _convert(node, hint, meaning)
        if value is None:
            return self._wrong(node.place, f"{label} must be {wanted}, not {_shown(node)}")
        low, high = meaning.low, meaning.high
        if low is not None and high is not None and not low <= value <= high:
            bounds = f"{_bound(low, meaning)} to {_bound(high, meaning)}"
            per_cent = meaning.form == "share" and 1 < value <= 100  # noqa: PLR2004
            hint = f"; did you mean `{value:g}%`?" if per_cent else ""
            return self._wrong(node.place, f"{label} must be {bounds}, not {_shown(node)}{hint}")
        return value

    def _one_of(self, node: Scalar, choices: tuple[str, ...], label: str) -> object:
        if node.text in choices:
            return node.text
        hint = did_you_mean(node.text, choices)
        return self._wrong(node.place, f"{label} cannot be {_shown(node)}{hint}")


def _convert(node: Scalar, hint: Any, meaning: Meaning) -> tuple[Any, str]:
    """The value or ``None``, and what is wanted, in words."""
    if meaning.form == "duration":
        return duration(node), "a time with its unit, such as 90s, 15m, 6h or 8d"
    if meaning.form == "share":
        return share(node), "a share, such as 1% or 0.01"
    if meaning.form == "size":
        return size(node), "a size with its unit, such as 500kB, 10MB or 2GB"
    if hint is bool:
        return truth(node), "true or false"
    if hint is int:
        return whole_number(node), "a whole number"
    return number(node), "a number"


def _bound(value: float, meaning: Meaning) -> str:
    return written_duration(value) if meaning.form == "duration" else f"{value:g}"


def _shown(node: Scalar) -> str:
    text = node.text if len(node.text) <= LONGEST_SHOWN else f"{node.text[:LONGEST_SHOWN]}…"
    return f"`{text}`" if node.plain else f'the text "{text}"'


def _item_label(item: Node, label: str, position: int) -> str:
    """``rule tall`` where the item says its name, else ``rules, item 3``."""
    if isinstance(item, Entries):
        for key in ("name", "topic"):
            named = item.entries.get(key)
            if named and isinstance(named[1], Scalar):
                return f"{label.removesuffix('s')} {named[1].text}"
    return f"{label}, item {position + 1}"
