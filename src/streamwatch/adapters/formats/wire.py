"""The wire format of schema registries: a zero, the schema's number, the payload."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from streamwatch.domain.records import Unreadable

MAGIC: Final = b"\0"
HEADER_BYTES: Final = 5

ToJson = Callable[[bytes, Any], bytes]
"""From a payload and its record, with headers, to JSON.

Raises:
    NotReadable: with the reason.
"""

encode = msgspec.json.Encoder(decimal_format="number").encode
"""To JSON: times become RFC 3339, exact decimals numbers, bytes base64, NaN null."""


class NotReadable(Exception):  # noqa: N818  # not an error of ours: it ends in a dead letter
    """A record cannot be read; the text is a short code for its dead letter."""


def schema_number(value: bytes) -> int:
    r"""The number of the schema with which a payload was written.

    >>> schema_number(b"\0\0\0\0\7payload")
    7

    Raises:
        NotReadable: the payload does not begin so.
    """
    if len(value) < HEADER_BYTES or value[:1] != MAGIC:
        raise NotReadable("no-schema-id")
    return int.from_bytes(value[1:HEADER_BYTES])


def translated(value: bytes, record: Any, to_json: ToJson) -> bytes:
    """The JSON of a value, or what was sent with the reason why there is none."""
    try:
        return to_json(value, record)
    except NotReadable as error:
        return Unreadable(value, str(error))
