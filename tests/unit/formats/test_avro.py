"""Avro with a registry: what a client may send, and how it may change."""

import asyncio
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from tests.unit.formats.registry_fake import FakeRegistry, framed, running_registry

from streamwatch.adapters.formats.avro import compile_avro
from streamwatch.adapters.formats.registry import Registry
from streamwatch.adapters.formats.translator import ASK_AGAIN_AFTER, RegistryTranslator
from streamwatch.adapters.formats.waiting import prepared
from streamwatch.domain.records import FileRecord, Record, Slice, Unreadable
from streamwatch.errors import RegistryError

FIRST = {
    "type": "record",
    "name": "Widget",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "shop", "type": "string"},
        {"name": "height", "type": ["null", "double"], "default": None},
    ],
}
SECOND = {
    **FIRST,
    "fields": [
        *FIRST["fields"][:2],
        {"name": "weight", "type": "double"},
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "price",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        },
    ],
}


def written(schema: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return stream.getvalue()


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with running_registry() as fake:
        fake.add(1, FIRST)
        fake.add(2, SECOND)
        yield fake


@pytest.fixture
def avro(registry: FakeRegistry) -> RegistryTranslator:
    return RegistryTranslator("AVRO", compile_avro, Registry(registry.url))


def read(translator: RegistryTranslator, *values: bytes | None) -> list[bytes | None]:
    records: list[Record] = [FileRecord(place, value) for place, value in enumerate(values)]
    return [record.value for record in translator(Slice("t", 0, records)).records]


def why(value: bytes | None) -> str:
    assert isinstance(value, Unreadable)
    return value.reason


def test_fields_come_and_go_with_the_schema_that_wrote_each_record(
    avro: RegistryTranslator,
) -> None:
    moment = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    second = {
        "event_id": "b",
        "shop": "s",
        "weight": 71.5,
        "time": moment,
        "price": Decimal("9.90"),
    }
    values = read(
        avro,
        framed(1, written(FIRST, {"event_id": "a", "shop": "s", "height": 171.0})),
        framed(2, written(SECOND, second)),
    )
    assert [json.loads(value or b"") for value in values] == [
        {"event_id": "a", "shop": "s", "height": 171.0},
        {
            "event_id": "b",
            "shop": "s",
            "weight": 71.5,
            "time": "2026-03-01T09:30:00Z",
            "price": 9.9,
        },
    ]


def test_each_schema_is_asked_for_once(registry: FakeRegistry, avro: RegistryTranslator) -> None:
    value = framed(1, written(FIRST, {"event_id": "a", "shop": "s", "height": None}))
    read(avro, value, value)
    read(avro, value)
    assert registry.asked == ["/schemas/ids/1"]


def test_a_tombstone_stays_one_and_offsets_stay(avro: RegistryTranslator) -> None:
    records: list[Record] = [FileRecord(41, None, 7, b"k")]
    assert avro(Slice("t", 0, records)).records == [FileRecord(41, None, 7, b"k")]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "no-schema-id"),
        (b'{"event_id": "a"}', "no-schema-id"),
        (framed(1, b"\xff"), "undecodable"),
        (framed(1, b""), "undecodable"),
        (framed(1, written(FIRST, {"event_id": "a", "shop": "s"}) + b"x"), "trailing-bytes"),
        (framed(9, b"x"), "unknown-schema"),
        (framed(3, b"x"), "other-format"),
        (framed(4, b"x"), "bad-schema"),
    ],
)
def test_what_cannot_be_read_stays_as_it_was_sent_with_a_reason(
    registry: FakeRegistry, avro: RegistryTranslator, value: bytes, reason: str
) -> None:
    registry.add(3, {"type": "object"}, kind="JSON")
    registry.add(4, "{no schema")
    (found,) = read(avro, value)
    assert (why(found), found == value) == (reason, True)


def test_a_schema_may_refer_to_another(registry: FakeRegistry, avro: RegistryTranslator) -> None:
    body = {"type": "record", "name": "Body", "fields": [{"name": "h", "type": "double"}]}
    outer = {
        "type": "record",
        "name": "Outer",
        "fields": [{"name": "event_id", "type": "string"}, {"name": "body", "type": "Body"}],
    }
    registry.subjects["body-value", 3] = {"schema": json.dumps(body)}
    reference = {"name": "Body", "subject": "body-value", "version": 3}
    registry.add(7, outer, references=[reference])
    whole = {**outer, "fields": [outer["fields"][0], {"name": "body", "type": body}]}
    (found,) = read(avro, framed(7, written(whole, {"event_id": "a", "body": {"h": 1.5}})))
    assert json.loads(found or b"") == {"event_id": "a", "body": {"h": 1.5}}


def test_a_registry_that_is_away_is_no_fault_of_the_record(
    registry: FakeRegistry, avro: RegistryTranslator
) -> None:
    value = framed(1, written(FIRST, {"event_id": "a", "shop": "s"}))
    registry.status = 503
    with pytest.raises(RegistryError, match="answered 503"):
        avro.prepare(Slice("t", 0, [FileRecord(0, value)]))
    registry.status = 200
    avro.prepare(Slice("t", 0, [FileRecord(0, value)]))
    registry.status = 503
    assert not isinstance(read(avro, value)[0], Unreadable)


def test_a_registry_that_wants_a_password_says_how_to_give_it(registry: FakeRegistry) -> None:
    registry.status = 401
    with pytest.raises(RegistryError, match="STREAMWATCH_SCHEMA_REGISTRY_AUTH"):
        Registry(registry.url).schema(1)
    with pytest.raises(RegistryError):
        Registry(registry.url, "ann:secret").schema(1)
    with pytest.raises(RegistryError):
        Registry(registry.url, "token").schema(1)
    assert registry.authorizations == [None, "Basic YW5uOnNlY3JldA==", "Bearer token"]


def test_the_next_registry_is_asked_when_one_is_away(registry: FakeRegistry) -> None:
    urls = f"http://127.0.0.1:9,{registry.url}/"
    assert Registry(urls).schema(1).kind == "AVRO"


def test_a_schema_that_is_registered_later_is_found_in_time(
    registry: FakeRegistry, avro: RegistryTranslator
) -> None:
    value = framed(5, written(FIRST, {"event_id": "a", "shop": "s"}))
    assert why(read(avro, value)[0]) == "unknown-schema"
    registry.add(5, FIRST)
    found = read(avro, *[value] * ASK_AGAIN_AFTER)
    assert not isinstance(found[-1], Unreadable)


async def test_a_partition_waits_until_the_registry_is_back(
    registry: FakeRegistry, avro: RegistryTranslator
) -> None:
    slice_ = Slice("t", 0, [FileRecord(0, framed(1, b""))])
    registry.status = 503
    waiting = asyncio.create_task(prepared(avro, slice_, retry_seconds=0.01))
    while len(registry.asked) < 3:
        await asyncio.sleep(0.01)
    assert not waiting.done()
    registry.status = 200
    await asyncio.wait_for(waiting, 10)
    assert why(read(avro, framed(1, b""))[0]) == "undecodable"


def test_a_redirect_is_not_followed_since_it_would_carry_the_password_away(
    registry: FakeRegistry,
) -> None:
    registry.status = 307
    with pytest.raises(RegistryError, match="answered 307"):
        Registry(registry.url, "ann:secret").schema(1)
    assert len(registry.asked) == 1
