"""Slices of a source's own format into slices of JSON."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from streamwatch.adapters.formats.registry import Registry, Schema, UnknownSchemaError
from streamwatch.adapters.formats.wire import (
    HEADER_BYTES,
    NotReadable,
    ToJson,
    schema_number,
    translated,
)
from streamwatch.domain.records import FileRecord, Record, Slice
from streamwatch.errors import ConfigurationError

ASK_AGAIN_AFTER = 1_000
"""Records of an unknown schema until the registry is asked for it again."""

MOST_UNKNOWN = 10_000
"""Unknown schemas that are remembered."""

Compile = Callable[[Schema, str], ToJson]


class Translator:
    """Turns the values of a slice into JSON; its places, times and keys stay as they are.

    A tombstone stays one. What cannot be read stays as it was sent, see `Unreadable`.

    Args:
        to_json: reads a whole value.
    """

    def __init__(self, to_json: ToJson) -> None:
        self._to_json = to_json

    def __call__(self, slice_: Slice) -> Slice:
        """The same slice in JSON."""
        return replace(slice_, records=[self._translated(record) for record in slice_.records])

    def prepare(self, slice_: Slice) -> None:
        """Fetch what reading the slice will need, so that reading it waits for nothing."""

    def _translated(self, record: Record) -> FileRecord:
        value = record.value
        json = None if value is None else translated(value, record, self._to_json)
        headers = getattr(record, "headers", ())
        return FileRecord(record.offset, json, record.timestamp, record.key, headers)


class RegistryTranslator(Translator):
    """The same where each value names its schema in a registry.

    Args:
        kind: of the schemas, as the registry calls it.
        compiled: a schema → the function that reads what it wrote.
        registry: asked once for each schema.
    """

    def __init__(self, kind: str, compiled: Compile, registry: Registry) -> None:
        super().__init__(self._read)
        self._kind = kind
        self._compile = compiled
        self._registry = registry
        self._readers: dict[int, ToJson | str] = {}
        self._unknown: Counter[int] = Counter()

    def prepare(self, slice_: Slice) -> None:
        """Ask the registry for the schemas that the slice names and that are not known yet.

        Raises:
            RegistryError: the registry does not answer; asking again may help.
        """
        for number in _numbers(slice_.records):
            self._reader(number)

    def _read(self, value: bytes, record: Any) -> bytes:
        reader = self._reader(schema_number(value))
        if isinstance(reader, str):
            raise NotReadable(reader)
        return reader(value[HEADER_BYTES:], record)

    def _reader(self, number: int) -> ToJson | str:
        """How a schema's payloads are read, or why they cannot be."""
        known = self._readers.get(number)
        if known is None or (known == "unknown-schema" and self._is_due(number)):
            if len(self._readers) >= MOST_UNKNOWN:
                self._readers = {
                    key: one for key, one in self._readers.items() if not isinstance(one, str)
                }
            known = self._readers[number] = self._asked(number)
        return known

    def _asked(self, number: int) -> ToJson | str:
        try:
            schema = self._registry.schema(number)
        except UnknownSchemaError:
            return "unknown-schema"
        if schema.kind != self._kind:
            return "other-format"
        try:
            return self._compile(schema, f"schema {number}")
        except ConfigurationError:
            return "bad-schema"

    def _is_due(self, number: int) -> bool:
        """Whether it is time to ask again for a schema that the registry did not know."""
        self._unknown[number] += 1
        return self._unknown[number] % ASK_AGAIN_AFTER == 0


def _numbers(records: Iterable[Record]) -> set[int]:
    found = set()
    for record in records:
        value = record.value
        if value is not None and len(value) >= HEADER_BYTES and value[0] == 0:
            found.add(int.from_bytes(value[1:HEADER_BYTES]))
    return found
