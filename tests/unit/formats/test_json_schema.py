"""JSON that keeps a JSON Schema, from a registry or from a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.formats.registry_fake import framed, running_registry

from streamwatch.adapters.formats.compile import compile_translators
from streamwatch.adapters.formats.jsonschema import compile_json_schema
from streamwatch.adapters.formats.registry import Registry
from streamwatch.adapters.formats.translator import RegistryTranslator, Translator
from streamwatch.domain.records import FileRecord, Slice, Unreadable
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import SourceSettings
from streamwatch.errors import ConfigurationError

SCHEMA = {
    "type": "object",
    "required": ["event_id"],
    "properties": {"height": {"type": "number"}, "body": {"$ref": "body.json"}},
}
BODY = {"type": "object", "properties": {"h": {"type": "number"}}}


def read(translator: Translator, value: bytes) -> Any:
    (record,) = translator(Slice("t", 0, [FileRecord(0, value)])).records
    if isinstance(record.value, Unreadable):
        return record.value.reason
    return json.loads(record.value or b"")


def test_registered_json_passes_when_it_keeps_its_schema() -> None:
    with running_registry() as fake:
        fake.subjects["body", 1] = {"schema": json.dumps(BODY), "schemaType": "JSON"}
        reference = {"name": "body.json", "subject": "body", "version": 1}
        fake.add(1, SCHEMA, kind="JSON", references=[reference])
        translator = RegistryTranslator("JSON", compile_json_schema, Registry(fake.url))
        right = b'{"event_id": "a", "height": 170, "more": 1, "body": {"h": 1}}'
        assert read(translator, framed(1, right)) == json.loads(right)
        assert read(translator, framed(1, b'{"height": 170}')) == "breaks-schema"
        wrong = b'{"event_id": "a", "body": {"h": "x"}}'
        assert read(translator, framed(1, wrong)) == "breaks-schema"
        assert read(translator, framed(1, b"{")) == "undecodable"


def of_file(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "widget.schema.json"
    file.write_text(text, encoding="utf-8")
    source = SourceSettings("t", "widget-event", format="json-schema", schema=str(file))
    return Settings(sources=(source,))


def test_plain_json_is_held_to_a_schema_file(tmp_path: Path) -> None:
    settings = of_file(tmp_path, json.dumps({"required": ["event_id"]}))
    translator = compile_translators(settings, {})["t"]
    assert read(translator, b'{"event_id": "a"}') == {"event_id": "a"}
    assert read(translator, b"{}") == "breaks-schema"
    assert read(translator, framed(3, b'{"event_id": "b"}')) == {"event_id": "b"}


def test_a_wrong_schema_file_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no JSON Schema"):
        compile_translators(of_file(tmp_path, "{"), {})
    (tmp_path / "widget.schema.json").unlink()
    source = SourceSettings("t", "return", format="avro", schema=str(tmp_path / "none.avsc"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        compile_translators(Settings(sources=(source,)), {})


def test_a_format_that_needs_a_registry_says_so() -> None:
    source = SourceSettings("t", "return", format="avro")
    with pytest.raises(ConfigurationError, match=r"needs kafka\.schema_registry"):
        compile_translators(Settings(sources=(source,)), {})
