"""CloudEvents as clients send them, in both modes."""

import base64
import json
from typing import Any

import pytest

from streamwatch.adapters.formats.cloudevents import cloudevent_to_json
from streamwatch.adapters.formats.wire import NotReadable
from streamwatch.domain.records import FileRecord

DATA = {"shop": "s", "height": 171.0}
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "a-1",
    "source": "/shops/s",
    "type": "widget.used",
    "time": "2026-03-01T09:30:00Z",
}
READ = {
    "event_id": "a-1",
    "time": "2026-03-01T09:30:00Z",
    **{f"ce_{name}": text for name, text in ATTRIBUTES.items()},
    **DATA,
}
STRUCTURED = (("content-type", b"application/cloudevents+json; charset=utf-8"),)


def binary(content: bytes = b"application/json", **attributes: str) -> Any:
    named = {**ATTRIBUTES, **attributes}
    headers = [(f"ce_{name}", text.encode()) for name, text in named.items() if text]
    return (*headers, ("content-type", content))


def read(value: bytes, headers: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        cloudevent_to_json(value, FileRecord(0, value, headers=headers))
    )
    return found


def test_binary_and_structured_mode_give_the_same_record() -> None:
    data = json.dumps(DATA).encode()
    whole = json.dumps({**ATTRIBUTES, "data": DATA}).encode()
    packed = json.dumps({**ATTRIBUTES, "data_base64": base64.b64encode(data).decode()}).encode()
    assert read(data, binary()) == READ
    assert read(whole, STRUCTURED) == READ
    assert read(whole, ()) == READ
    assert read(packed, STRUCTURED) == READ


def test_what_the_data_say_themselves_goes_over_the_attributes() -> None:
    found = read(json.dumps({**DATA, "event_id": "own", "time": 5}).encode(), binary())
    assert (found["event_id"], found["time"], found["ce_id"]) == ("own", 5, "a-1")


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (b"{", binary(), "undecodable"),
        (b"[1]", binary(), "no-data"),
        (b"{}", binary(id=""), "no-cloudevent"),
        (b"{}", binary(b"application/avro"), "content-type"),
        (b"{}", (), "no-cloudevent"),
        (b"[]", STRUCTURED, "no-cloudevent"),
        (b"[]", (("content-type", b"application/cloudevents-batch+json"),), "batched"),
        (b"x", (("content-type", b"application/cloudevents+avro"),), "content-type"),
        (json.dumps({**ATTRIBUTES, "data_base64": "?"}).encode(), STRUCTURED, "no-data"),
        (json.dumps(ATTRIBUTES).encode(), STRUCTURED, "no-data"),
    ],
)
def test_what_is_no_event_has_a_reason(value: bytes, headers: Any, reason: str) -> None:
    with pytest.raises(NotReadable, match=f"^{reason}$"):
        read(value, headers)
