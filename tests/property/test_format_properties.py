"""Other formats: whatever bytes come, there is JSON or a reason, and nothing is raised."""

import io
import json
from typing import Any

import fastavro
from google.protobuf import descriptor_pb2
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.adapters.formats.avro import compile_avro
from streamwatch.adapters.formats.cloudevents import cloudevent_to_json
from streamwatch.adapters.formats.jsonschema import compile_json_schema
from streamwatch.adapters.formats.protobuf import compile_described
from streamwatch.adapters.formats.registry import Schema
from streamwatch.adapters.formats.translator import Translator
from streamwatch.domain.records import FileRecord, Slice, Unreadable

FIELDS: list[dict[str, Any]] = [
    {"name": "text", "type": "string"},
    {"name": "number", "type": ["null", "double"]},
    {"name": "whole", "type": "long"},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "when", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9}},
]
AVRO = {"type": "record", "name": "R", "fields": FIELDS}
PLAIN = {"type": "record", "name": "R", "fields": FIELDS[:4]}


def descriptors() -> bytes:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="r.proto", syntax="proto3")
    message = file.message_type.add(name="R")
    for number, (name, kind) in enumerate(
        (("text", kinds.TYPE_STRING), ("number", kinds.TYPE_DOUBLE), ("raw", kinds.TYPE_BYTES)), 1
    ):
        message.field.add(name=name, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    message.field.add(
        name="inner", number=4, type=kinds.TYPE_MESSAGE, type_name=".R", label=kinds.LABEL_REPEATED
    )
    return descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()


TRANSLATORS = {
    "avro": Translator(compile_avro(Schema("AVRO", json.dumps(AVRO)), "s")),
    "json-schema": Translator(compile_json_schema(Schema("JSON", '{"type": "object"}'), "s")),
    "protobuf": Translator(compile_described(descriptors(), None, "s")),
    "cloudevents": Translator(cloudevent_to_json),
}
headers = st.lists(
    st.tuples(
        st.sampled_from(["ce_specversion", "ce_id", "ce_source", "ce_type", "content-type", "x"]),
        st.none() | st.binary(max_size=40) | st.sampled_from([b"1.0", b"application/json"]),
    )
)
values = st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
).map(lambda value: json.dumps(value).encode())


@given(st.sampled_from(sorted(TRANSLATORS)), values, headers)
def test_any_value_becomes_json_or_has_a_reason(form: str, value: bytes, given: Any) -> None:
    record = FileRecord(7, value, 9, b"k", given)
    (found,) = TRANSLATORS[form](Slice("t", 0, [record])).records
    assert (found.offset, found.timestamp, found.key) == (7, 9, b"k")
    if isinstance(found.value, Unreadable):
        assert (found.value, bool(found.value.reason)) == (value, True)
    else:
        assert isinstance(json.loads(found.value or b""), dict | list | str | int | float | None)


@given(
    st.fixed_dictionaries(
        {
            "text": st.text(),
            "number": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "whole": st.integers(-(2**63), 2**63 - 1),
            "tags": st.lists(st.text()),
        }
    )
)
def test_avro_says_what_was_written(record: dict[str, Any]) -> None:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(PLAIN), record)
    to_json = compile_avro(Schema("AVRO", json.dumps(PLAIN)), "s")
    assert json.loads(to_json(stream.getvalue(), None)) == record
