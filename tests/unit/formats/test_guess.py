"""Which format a topic's records are in, told from the records."""

import io
import json

import fastavro
import pytest
from tests.unit.formats.registry_fake import framed, running_registry

from streamwatch.adapters.formats.guess import guessed
from streamwatch.domain.records import FileRecord
from streamwatch.errors import ConfigurationError

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]}


def avro(number: int) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(SCHEMA), {"a": number})
    return framed(1, stream.getvalue())


def test_plain_json_is_json_even_with_some_damage() -> None:
    records = [FileRecord(0, b'{"a": 1}'), FileRecord(1, None), FileRecord(2, b"\0")]
    records.append(FileRecord(3, b'{"a": 2}'))
    assert guessed(records, "") == ("json", [b'{"a": 1}', b"\0", b'{"a": 2}'])


def test_cloudevents_are_told_by_their_headers() -> None:
    headers = [(f"ce_{name}", b"x") for name in ("specversion", "id", "source", "type")]
    form, values = guessed([FileRecord(0, b'{"a": 1}', headers=headers)], "")
    assert (form, json.loads(values[0])["event_id"]) == ("cloudevents", "x")


def test_a_schema_number_is_looked_up_in_the_registry() -> None:
    records = [FileRecord(place, avro(place)) for place in range(3)]
    with running_registry() as fake:
        fake.add(1, SCHEMA)
        form, values = guessed([*records, FileRecord(9, b"junk")], fake.url)
        assert (form, [json.loads(value)["a"] for value in values]) == ("avro", [0, 1, 2])
        fake.schemas.clear()
        with pytest.raises(ConfigurationError, match="does not know the schema"):
            guessed(records, fake.url)
    with pytest.raises(ConfigurationError, match="add --registry"):
        guessed(records, "")
