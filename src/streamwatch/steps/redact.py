"""What may be written of a refused record."""

from typing import Any

import msgspec

from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.decode import MAX_BYTES

LONGEST_PAYLOAD = 2_000
"""Characters of a payload that are kept."""

LONGEST_TEXT = 80
"""Characters of a text value that are kept."""

ALLOWED = frozenset(name for kind in EVENT_TYPES.values() for name in kind.event.__struct_fields__)
"""Only fields of the event types are shown, and so never the shopper."""


def redacted(value: bytes | None, shopper_key: str = "shopper") -> str:
    """The payload of a refused record without anything that may name a person.

    Keeps the top-level keys that are fields of an event type, with numbers and short text;
    of bytes that are no JSON object, or are too many to read, only their number is said.

    Args:
        value: the payload.
        shopper_key: the top-level key under which the source's shopper stands.

    >>> redacted(b'{"height": 170, "shopper": "jane", "note": "call me"}')
    '{"height":170}'
    >>> redacted(b"junk")
    '<4 bytes>'
    """
    if value is None:
        return "<tombstone>"
    if len(value) > MAX_BYTES:
        return f"<{len(value)} bytes>"
    try:
        fields = msgspec.json.decode(value)
    except (ValueError, RecursionError, msgspec.DecodeError):
        fields = None
    if not isinstance(fields, dict):
        return f"<{len(value)} bytes>"
    kept = {
        name: _short(fields[name]) for name in fields if name in ALLOWED and name != shopper_key
    }
    return msgspec.json.encode(kept).decode()[:LONGEST_PAYLOAD]


def described(refusal: Refusal) -> str:
    """The key under which cells count a refusal: ``stage/reason/field``."""
    return f"{refusal.stage}/{refusal.reason}/{refusal.field}"


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if value is None or isinstance(value, bool | int | float):
        return value
    return f"<{type(value).__name__}>"
