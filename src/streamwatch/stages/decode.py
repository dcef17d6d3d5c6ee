"""decode: bytes of one record to a typed event, as the client sent it."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from streamwatch.domain.events import EVENT_TYPES, Received
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import SourceSettings
from streamwatch.stages.mapping import FieldReader

MAX_BYTES = 1_048_576
"""Kafka's own default limit; a larger record is dead-lettered unread."""

Decode = Callable[[bytes | None], Received | Refusal]


def compile_decode(source: SourceSettings) -> Decode:
    """The decode stage of one source, with its field mapping built in.

    It refuses what it cannot read: a tombstone, more than `MAX_BYTES`, bytes that are no
    JSON object (dead letters), and wrong types, missing required fields and doubled keys
    (rejects, with the field).

    >>> decode = compile_decode(SourceSettings("widget-event", "widget-event"))
    >>> decode(b'{"event_id":"a","shop":"s","height":170}').height
    170.0
    >>> refusal = decode(b'{"event_id":"a","shop":"s","height":"tall"}')
    >>> refusal.reason, refusal.field
    ('wrong-type', 'height')
    """
    reader = FieldReader(source)
    read = _typed_read(source, reader)
    fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

    def decode(value: bytes | None) -> Received | Refusal:
        if value is None:
            return _dead("tombstone")
        if len(value) > MAX_BYTES:
            return _dead("oversized")
        try:
            if read is None:
                return _read_untyped(reader, value)
            event = read(value)
            if _is_suspicious(value, len(fields_of(value))) and has_doubled_key(value):
                return Refusal("reject", "decode", "doubled-key")
        except msgspec.ValidationError:
            return _explain(reader, value)
        except (ValueError, msgspec.DecodeError):
            return _dead("undecodable")
        except RecursionError:
            return _dead("too-deep")
        return event

    return decode


def _typed_read(source: SourceSettings, reader: FieldReader) -> Callable[[bytes], Received] | None:
    """A decoder straight into the event type; ``None`` if the mapping does more than rename."""
    names = reader.renames()
    if names is None:
        return None
    received = EVENT_TYPES[source.event].received
    fields: list[Any] = [
        (f.name, f.type) if f.required else (f.name, f.type, f.default)
        for f in msgspec.structs.fields(received)
    ]
    wire = msgspec.defstruct(
        received.__name__, fields, bases=(received,), rename=names, frozen=True, gc=False
    )
    decoder: msgspec.json.Decoder[Received] = msgspec.json.Decoder(
        wire, strict=source.types == "strict"
    )
    return decoder.decode


def _explain(reader: FieldReader, value: bytes) -> Received | Refusal:
    """What the untyped way says of a record that the typed decoder refused."""
    try:
        return _read_untyped(reader, value)
    except RecursionError:
        return _dead("too-deep")
    except (ValueError, msgspec.DecodeError):
        return _dead("undecodable")


def _read_untyped(reader: FieldReader, value: bytes) -> Received | Refusal:
    raw = msgspec.json.decode(value)
    if not isinstance(raw, dict):
        return _dead("not-an-object")
    if _is_suspicious(value, len(raw)) and has_doubled_key(value):
        return Refusal("reject", "decode", "doubled-key")
    return reader.event(raw)


def _is_suspicious(value: bytes, keys: int) -> bool:
    """Whether the text may have a doubled key, of which the decoder keeps the last.

    Counting is the cheap way to notice; the exact answer is asked for only when the counts
    differ, or a space before a colon makes counting unsafe.
    """
    return keys != value.count(b'":') or b'" :' in value


def has_doubled_key(value: bytes) -> bool:
    """Whether any object of the JSON text has a key twice.

    >>> has_doubled_key(b'{"a":1,"a":2}'), has_doubled_key(b'{"a":{"a":1}}')
    (True, False)
    """
    found = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        result = dict(items)
        found = found or len(result) != len(items)
        return result

    json.loads(value, object_pairs_hook=pairs)
    return found


def _dead(reason: str) -> Refusal:
    return Refusal("dead-letter", "decode", reason)
