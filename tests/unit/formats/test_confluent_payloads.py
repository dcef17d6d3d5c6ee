"""Payloads that Confluent's own serializers wrote (confluent-kafka 2.16.1) are read."""

import base64
import json
from typing import Any

import pytest
from tests.unit.formats.registry_fake import running_registry

from streamwatch.adapters.formats.compile import REGISTERED
from streamwatch.adapters.formats.registry import Registry
from streamwatch.adapters.formats.translator import RegistryTranslator
from streamwatch.domain.records import FileRecord, Slice

PROTOBUF = (
    "Cgd3LnByb3RvEgRzaG9wGh9nb29nbGUvcHJvdG9idWYvdGltZXN0YW1wLnByb3RvIgcKBU90aGVyImAKAVcSEAoI"
    "ZXZlbnRfaWQYASABKAkSDgoGaGVpZ2h0GAIgASgBEigKBHRpbWUYAyABKAsyGi5nb29nbGUucHJvdG9idWYuVGlt"
    "ZXN0YW1wGg8KAkluEgkKAXgYASABKAViBnByb3RvMw=="
)
"""Two messages, the second with one inside; as the serializer registers them."""

AVRO: dict[str, Any] = json.loads(
    '{"type": "record", "name": "W", "fields": [{"name": "event_id", "type": "string"}, '
    '{"name": "height", "type": ["null", "double"], "default": null}, {"name": "time", '
    '"type": {"type": "long", "logicalType": "timestamp-millis"}}]}'
)

JSON: dict[str, Any] = json.loads(
    '{"$schema": "http://json-schema.org/draft-07/schema#", "title": "W", "type": "object", '
    '"properties": {"event_id": {"type": "string"}, "height": {"type": "number"}}, '
    '"required": ["event_id"]}'
)

WRITTEN: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("avro", json.dumps(AVRO), "AAAAAAECYQIAAAAAAHBlQICoqJSVZw==",
     {"event_id": "a", "height": 171.5, "time": "2026-03-01T12:00:00Z"}),
    ("json-schema", json.dumps(JSON), "AAAAAAJ7ImV2ZW50X2lkIjoiYSIsImhlaWdodCI6MTcxLjV9",
     {"event_id": "a", "height": 171.5}),
    ("protobuf", PROTOBUF, "AAAAAAMCAgoBYREAAAAAAHBlQBoGCMDUkM0G",
     {"event_id": "a", "height": 171.5, "time": "2026-03-01T12:00:00Z"}),
    ("protobuf", PROTOBUF, "AAAAAAQA", {}),
    ("protobuf", PROTOBUF, "AAAAAAUEAgAIBQ==", {"x": 5}),
)  # fmt: skip


@pytest.mark.parametrize(("form", "schema", "payload", "event"), WRITTEN)
def test_what_confluents_serializers_write_is_read(
    form: str, schema: str, payload: str, event: dict[str, Any]
) -> None:
    value = base64.b64decode(payload)
    kind, compiled, _, _ = REGISTERED[form]
    with running_registry() as fake:
        number = int.from_bytes(value[1:5])
        fake.schemas[number] = {"schema": schema, "schemaType": kind}
        translator = RegistryTranslator(kind, compiled, Registry(fake.url))
        (record,) = translator(Slice("t", 0, [FileRecord(0, value)])).records
    assert json.loads(record.value or b"") == event
