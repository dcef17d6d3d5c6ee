"""decode: bytes of one record to a typed event, as the client sent it."""

from collections.abc import Callable
from typing import Any

import msgspec

from streamwatch.domain.events import EVENT_TYPES, Received
from streamwatch.domain.records import Unreadable
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import SourceSettings
from streamwatch.stages.doubledkeys import has_doubled_key, is_surely_single
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
    read = typed_read(source)

    def decode(value: bytes | None) -> Received | Refusal:
        if value is None:
            return _dead("tombstone")
        if len(value) > MAX_BYTES:
            return _dead("oversized")
        try:
            if read is None:
                return _read_untyped(reader, value)
            event = read(value)
            if not is_surely_single(value, event) and has_doubled_key(value):
                return Refusal("reject", "decode", "doubled-key")
        except msgspec.ValidationError:
            return _explain(reader, value)
        except (ValueError, msgspec.DecodeError):
            return _dead("undecodable")
        except RecursionError:
            return _dead("too-deep")
        return event

    if source.format == "json":
        return decode

    def decode_translated(value: bytes | None) -> Received | Refusal:
        return _dead(value.reason) if isinstance(value, Unreadable) else decode(value)

    return decode_translated


def typed_read(source: SourceSettings) -> Callable[[bytes], Received] | None:
    """A decoder straight into the event type; ``None`` if the mapping does more than rename.

    It takes the last of keys that stand twice, and raises ``ValueError`` or ``RecursionError``
    for what it cannot read.
    """
    names = FieldReader(source).renames()
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
    if has_doubled_key(value, len(raw)):
        return Refusal("reject", "decode", "doubled-key")
    return reader.event(raw)


def _dead(reason: str) -> Refusal:
    return Refusal("dead-letter", "decode", reason)
