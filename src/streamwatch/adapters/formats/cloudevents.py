"""CloudEvents in Kafka, binary and structured: the data's own keys, the attributes beside them."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from streamwatch.adapters.formats.wire import NotReadable, encode

PREFIX = "ce_"
CONTENT_TYPE = "content-type"
STRUCTURED = "application/cloudevents"
REQUIRED = ("id", "source", "specversion", "type")
_DEFAULTS = {"event_id": "id", "time": "time"}
"""Field of an event → the attribute that stands in for it where the data have none."""

_decode = msgspec.json.Decoder().decode


def cloudevent_to_json(value: bytes, record: Any) -> bytes:
    """The data of a CloudEvent as JSON, with its attributes as ``ce_id``, ``ce_source`` and so on.

    ``event_id`` and ``time`` are the attributes' where the data have none. The mode is told by
    the record's ``content-type``, else by its headers: binary mode has ``ce_specversion``.

    Raises:
        NotReadable: a required attribute is missing, or the data are no JSON object.
    """
    headers = _headers(getattr(record, "headers", ()))
    content = headers.get(CONTENT_TYPE, "").partition(";")[0].strip().lower()
    if content.startswith(STRUCTURED) or PREFIX + "specversion" not in headers:
        attributes, data = _structured(value, content)
    else:
        attributes = {
            name.removeprefix(PREFIX): text
            for name, text in headers.items()
            if name.startswith(PREFIX)
        }
        data = _binary(value, content)
    if any(not attributes.get(name) for name in REQUIRED):
        raise NotReadable("no-cloudevent")
    if not isinstance(data, dict):
        raise NotReadable("no-data")
    defaults = {
        field: attributes[name]
        for field, name in _DEFAULTS.items()
        if name in attributes and data.get(field) is None
    }
    prefixed = {PREFIX + name: text for name, text in attributes.items()}
    return encode({**data, **defaults, **prefixed})


def _headers(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    return {
        name.lower(): value.decode("utf-8", "replace")
        for name, value in headers
        if value is not None
    }


def _structured(value: bytes, content: str) -> tuple[dict[str, Any], Any]:
    if content.startswith(f"{STRUCTURED}-batch"):
        raise NotReadable("batched")
    if content not in ("", "application/json") and not content.endswith("json"):
        raise NotReadable("content-type")
    event = _object(value)
    if not isinstance(event, dict):
        raise NotReadable("no-cloudevent")
    data = event.pop("data", None)
    packed = event.pop("data_base64", None)
    if packed is not None:
        try:
            data = _object(base64.b64decode(packed, validate=True))
        except (binascii.Error, TypeError, ValueError) as error:
            raise NotReadable("no-data") from error
    return event, data


def _binary(value: bytes, content: str) -> Any:
    is_json = content in ("", "application/json", "text/json") or content.endswith("+json")
    if not is_json:
        raise NotReadable("content-type")
    return _object(value)


def _object(value: bytes) -> Any:
    try:
        return _decode(value)
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        raise NotReadable("undecodable") from error


def is_cloudevent(headers: Mapping[str, Any] | Sequence[tuple[str, Any]]) -> bool:
    """Whether a record's headers are those of a CloudEvent.

    >>> is_cloudevent([("ce_specversion", b"1.0")]), is_cloudevent([])
    (True, False)
    """
    named = {name.lower(): value for name, value in dict(headers).items()}
    content = named.get(CONTENT_TYPE) or b""
    return PREFIX + "specversion" in named or content.startswith(STRUCTURED.encode())
