"""Protobuf, with the extra ``protobuf``: messages by descriptors, without generated code."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from streamwatch.adapters.extras import needed
from streamwatch.adapters.formats.registry import Schema
from streamwatch.adapters.formats.wire import (
    HEADER_BYTES,
    MAGIC,
    NotReadable,
    ToJson,
    encode,
    schema_number,
)
from streamwatch.errors import ConfigurationError

_WELL_KNOWN = ("timestamp", "wrappers", "duration", "any", "struct", "empty", "field_mask")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_VARINT = 10
MOST_NESTED = 32


def compile_registered(schema: Schema, where: str) -> ToJson:
    """The function that reads what this schema of a registry wrote.

    Behind the schema's number such a payload says which message of the file it is.

    Raises:
        ConfigurationError: protobuf is not installed, or the schema cannot be used.
    """
    try:
        files = [
            _file(base64.b64decode(text, validate=True), name)
            for name, text in schema.references.items()
        ]
        last = _file(base64.b64decode(schema.text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError(
            f"{where}: the registry gives no serialised Protobuf schema; name a descriptor set "
            "under `schema` of the source instead"
        ) from error
    pool = _pool([*files, last], where)
    classes: dict[tuple[int, ...], Any] = {}

    def to_json(payload: bytes, _: Any) -> bytes:
        place, start = message_place(payload)
        if place not in classes:
            classes[place] = _class_at(pool, last, place)
        return _read(classes[place], payload[start:])

    return to_json


def compile_described(descriptors: bytes, message: str | None, where: str) -> ToJson:
    """The function that reads messages by a descriptor set, as ``protoc`` writes it.

    They are bare, or framed for a registry that gives no descriptors: no message begins with a
    zero, so the two cannot be taken for each other.

    Args:
        descriptors: what ``protoc --include_imports --descriptor_set_out=FILE`` wrote.
        message: the message's full name; else the first one of the last file.
        where: the file, for messages.

    Raises:
        ConfigurationError: protobuf is not installed, or the file or the name is wrong.
    """
    descriptor_pb2 = needed("google.protobuf.descriptor_pb2", "protobuf")
    files = descriptor_pb2.FileDescriptorSet()
    try:
        files.ParseFromString(descriptors)
    except Exception as error:
        raise ConfigurationError(f"{where}: is no descriptor set of protoc") from error
    if not files.file:
        raise ConfigurationError(f"{where}: is no descriptor set of protoc, or an empty one")
    pool = _pool(files.file, where)
    last = files.file[-1]
    prefix = f"{last.package}." if last.package else ""
    names = [prefix + one.name for one in last.message_type]
    try:
        kind = pool.FindMessageTypeByName(message or names[0])
    except (KeyError, IndexError) as error:
        raise ConfigurationError(
            f"{where}: has no message `{message}`; there are: {', '.join(names)}"
        ) from error
    factory = needed("google.protobuf.message_factory", "protobuf")
    made = factory.GetMessageClass(kind)

    def to_json(payload: bytes, _: Any) -> bytes:
        if payload[:1] != MAGIC:
            return _read(made, payload)
        schema_number(payload)
        place, start = message_place(payload[HEADER_BYTES:])
        framed = made if message else _class_at(pool, last, place)
        return _read(framed, payload[HEADER_BYTES + start :])

    return to_json


def message_place(payload: bytes) -> tuple[tuple[int, ...], int]:
    r"""Which message a registered payload holds, as its place in the file, and where it begins.

    >>> message_place(b"\0rest"), message_place(b"\4\2\0rest")
    (((0,), 1), ((1, 0), 3))

    Raises:
        NotReadable: the payload does not begin so.
    """
    count, start = _varint(payload, 0)
    if count == 0:
        return (0,), start
    if not 0 < count <= MOST_NESTED:
        raise NotReadable("no-message-index")
    place = []
    for _ in range(count):
        number, start = _varint(payload, start)
        place.append(number)
    return tuple(place), start


def _varint(payload: bytes, start: int) -> tuple[int, int]:
    """A zigzag number and where the next begins."""
    value = 0
    for length, byte in enumerate(payload[start : start + LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * length)
        if byte < 0x80:  # noqa: PLR2004  # the last byte of a number
            return (value >> 1) ^ -(value & 1), start + length + 1
    raise NotReadable("no-message-index")


def _file(serialised: bytes, name: str | None = None) -> Any:
    made = needed("google.protobuf.descriptor_pb2", "protobuf").FileDescriptorProto()
    try:
        made.ParseFromString(serialised)
    except Exception as error:
        raise ValueError(str(error)) from error
    made.name = name or made.name or "schema.proto"
    return made


def _pool(files: Iterable[Any], where: str) -> Any:
    """A pool of its own, so that two sources may use the same names."""
    pool = needed("google.protobuf.descriptor_pool", "protobuf").DescriptorPool()
    given = list(files)
    names = {file.name for file in given}
    for stem in _WELL_KNOWN:
        known = needed(f"google.protobuf.{stem}_pb2", "protobuf").DESCRIPTOR
        if known.name not in names:
            pool.AddSerializedFile(known.serialized_pb)
    try:
        for file in given:
            pool.AddSerializedFile(file.SerializeToString())
    except Exception as error:
        raise ConfigurationError(
            f"{where}: the schema cannot be used: {error}; did protoc run with --include_imports?"
        ) from error
    return pool


def _class_at(pool: Any, file: Any, place: tuple[int, ...]) -> Any:
    """The class of the message that stands at this place of a file."""
    names, inside = [file.package] if file.package else [], file.message_type
    try:
        for number in place:
            names.append(inside[number].name)
            inside = inside[number].nested_type
    except IndexError as error:
        raise NotReadable("no-message-index") from error
    factory = needed("google.protobuf.message_factory", "protobuf")
    return factory.GetMessageClass(pool.FindMessageTypeByName(".".join(names)))


def _read(made: Any, payload: bytes) -> bytes:
    message = made()
    try:
        message.ParseFromString(payload)
        return encode(dict(_fields(message)))
    except Exception as error:  # whatever damaged bytes make it stumble over
        raise NotReadable("undecodable") from error


def _fields(message: Any) -> Iterator[tuple[str, Any]]:
    """The fields that are set, by their names; what proto3 leaves out is missing."""
    for field, value in message.ListFields():
        yield field.name, _plain_field(field, value)


def _plain_field(field: Any, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        return {str(key): _plain(inner, value[key]) for key in value}
    if isinstance(value, str | bytes | int | float) or hasattr(value, "ListFields"):
        return _plain(field, value)
    return [_plain(field, one) for one in value]


def _plain(field: Any, value: Any) -> Any:
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return value if named is None else named.name
    if field.message_type is None:
        return value
    name = field.message_type.full_name
    if name == "google.protobuf.Timestamp":
        return _EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1_000)
    if name.startswith("google.protobuf.") and name.endswith("Value"):
        return getattr(value, "value", None)
    return dict(_fields(value))
