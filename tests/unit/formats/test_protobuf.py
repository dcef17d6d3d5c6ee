"""Protobuf by descriptors: from a registry, or from a descriptor set."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, message_factory, timestamp_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from tests.unit.formats.registry_fake import FakeRegistry, framed, running_registry

from streamwatch.adapters.formats.compile import compile_translators
from streamwatch.adapters.formats.protobuf import compile_registered
from streamwatch.adapters.formats.registry import Registry
from streamwatch.adapters.formats.translator import RegistryTranslator, Translator
from streamwatch.domain.records import FileRecord, Slice, Unreadable
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import SourceSettings
from streamwatch.errors import ConfigurationError

FIELD = descriptor_pb2.FieldDescriptorProto


def described(extra: bool = False) -> descriptor_pb2.FileDescriptorProto:
    """``message Other {}; message Widget {…}``, with one more field in its second version."""
    file = descriptor_pb2.FileDescriptorProto(
        name="widget.proto",
        package="shop.v1",
        syntax="proto3",
        dependency=["google/protobuf/timestamp.proto"],
    )
    file.message_type.add(name="Other")
    gender = file.enum_type.add(name="Gender")
    for number, name in enumerate(("UNKNOWN", "FEMALE", "MALE")):
        gender.value.add(name=name, number=number)
    widget = file.message_type.add(name="Widget")
    body = widget.nested_type.add(name="Body")
    body.field.add(name="height", number=1, type=FIELD.TYPE_DOUBLE, label=FIELD.LABEL_OPTIONAL)
    for number, name, kind, type_name in (
        (1, "event_id", FIELD.TYPE_STRING, None),
        (2, "shop", FIELD.TYPE_STRING, None),
        (3, "time", FIELD.TYPE_MESSAGE, ".google.protobuf.Timestamp"),
        (4, "body", FIELD.TYPE_MESSAGE, ".shop.v1.Widget.Body"),
        (5, "gender", FIELD.TYPE_ENUM, ".shop.v1.Gender"),
        (6, "count", FIELD.TYPE_INT64, None),
        *(((7, "app_version", FIELD.TYPE_STRING, None),) if extra else ()),
    ):
        widget.field.add(
            name=name, number=number, type=kind, type_name=type_name, label=FIELD.LABEL_OPTIONAL
        )
    widget.field.add(name="tags", number=9, type=FIELD.TYPE_STRING, label=FIELD.LABEL_REPEATED)
    return file


def message(extra: bool = False, **fields: Any) -> bytes:
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(described(extra).SerializeToString())
    made: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.v1.Widget"))()
    made.event_id, made.shop = "a", "s"
    made.time.FromJsonString("2026-03-01T09:30:00Z")
    made.body.height = 171.5
    made.gender = 1
    made.count = 1 << 40
    made.tags.append("x")
    for name, value in fields.items():
        setattr(made, name, value)
    serialised: bytes = made.SerializeToString()
    return serialised


EXPECTED = {
    "event_id": "a",
    "shop": "s",
    "time": "2026-03-01T09:30:00Z",
    "body": {"height": 171.5},
    "gender": "FEMALE",
    "count": 1 << 40,
    "tags": ["x"],
}
WIDGET = b"\x02\x02"
"""The second message of the file."""


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with running_registry() as fake:
        fake.add(1, described().SerializeToString(), kind="PROTOBUF")
        fake.add(2, described(extra=True).SerializeToString(), kind="PROTOBUF")
        yield fake


def read(translator: Translator, value: bytes) -> Any:
    (record,) = translator(Slice("t", 0, [FileRecord(0, value)])).records
    if isinstance(record.value, Unreadable):
        return record.value.reason
    return json.loads(record.value or b"")


def test_registered_messages_are_read_by_their_place_and_version(registry: FakeRegistry) -> None:
    protobuf = RegistryTranslator("PROTOBUF", compile_registered, Registry(registry.url))
    assert read(protobuf, framed(1, WIDGET + message())) == EXPECTED
    newer = message(extra=True, app_version="5.0.0")
    assert read(protobuf, framed(2, WIDGET + newer)) == {**EXPECTED, "app_version": "5.0.0"}
    assert read(protobuf, framed(1, WIDGET + newer)) == EXPECTED


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "no-message-index"),
        (b"\x02\x40", "no-message-index"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "no-message-index"),
        (WIDGET + b"\xff\xff", "undecodable"),
    ],
)
def test_damaged_messages_have_a_reason(
    registry: FakeRegistry, payload: bytes, reason: str
) -> None:
    protobuf = RegistryTranslator("PROTOBUF", compile_registered, Registry(registry.url))
    assert read(protobuf, framed(1, payload)) == reason


def test_a_registry_that_gives_no_descriptors_makes_a_dead_letter(registry: FakeRegistry) -> None:
    registry.add(3, 'syntax = "proto3"; message A {}', kind="PROTOBUF")
    protobuf = RegistryTranslator("PROTOBUF", compile_registered, Registry(registry.url))
    assert read(protobuf, framed(3, WIDGET + message())) == "bad-schema"


def settings(tmp_path: Path, name: str | None, content: bytes | None = None) -> Settings:
    files = descriptor_pb2.FileDescriptorSet(file=[described()])
    file = tmp_path / "widget.desc"
    file.write_bytes(files.SerializeToString() if content is None else content)
    source = SourceSettings("t", "widget-event", format="protobuf", schema=str(file), message=name)
    return Settings(sources=(source,))


def test_bare_messages_are_read_by_a_descriptor_set(tmp_path: Path) -> None:
    translator = compile_translators(settings(tmp_path, "shop.v1.Widget"), {})["t"]
    assert read(translator, message()) == EXPECTED


@pytest.mark.parametrize("name", [None, "shop.v1.Widget"])
def test_a_descriptor_set_also_reads_what_is_framed_for_a_registry(
    tmp_path: Path, name: str | None
) -> None:
    translator = compile_translators(settings(tmp_path, name), {})["t"]
    assert read(translator, framed(1, WIDGET + message())) == EXPECTED


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("shop.v1.Wigdet", None, "there are: shop.v1.Other, shop.v1.Widget"),
        (None, b"\xff\xff", "no descriptor set"),
        (None, b"", "an empty one"),
    ],
)
def test_a_wrong_descriptor_set_is_told_at_the_start(
    tmp_path: Path, name: str | None, content: bytes | None, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        compile_translators(settings(tmp_path, name, content), {})
