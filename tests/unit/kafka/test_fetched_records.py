"""Light records say what the client's own would say."""

from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.consumer.fetcher import PartitionRecords  # type: ignore[import-untyped]
from aiokafka.record.default_records import (  # type: ignore[import-untyped]
    DefaultRecordBatchBuilder,
)
from aiokafka.record.memory_records import MemoryRecords  # type: ignore[import-untyped]
from aiokafka.structs import TopicPartition  # type: ignore[import-untyped]

from streamwatch.adapters.kafka.fetched import FetchedRecord, make_light_records

GIVEN: tuple[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]], ...] = (
    (b"shop-001", b'{"height": 170}', [("trace", b"1")]),
    (None, b"", []),
    (b"", None, [("a", b""), ("a", b"2")]),
)


@pytest.fixture
def as_before() -> Iterator[None]:
    before = PartitionRecords._consumer_record
    yield
    PartitionRecords._consumer_record = before


def fetched() -> list[Any]:
    """What a consumer makes of one fetched batch."""
    batch = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=100_000,
    )
    for offset, (key, value, headers) in enumerate(GIVEN):
        assert batch.append(offset, 1_788_220_800_000 + offset, key, value, headers)
    partition = TopicPartition("widget-event", 3)
    memory = MemoryRecords(bytes(batch.build()))
    return list(PartitionRecords(partition, memory, None, 0, None, None, True, 0))


@pytest.mark.usefixtures("as_before")
def test_light_records_say_the_same() -> None:
    stock = fetched()
    make_light_records()
    light = fetched()
    assert [type(record) for record in light] == [FetchedRecord] * len(GIVEN)
    for name in ("topic", "partition", "offset", "timestamp", "timestamp_type", "key", "value"):
        assert [getattr(record, name) for record in light] == [
            getattr(record, name) for record in stock
        ]
    assert [tuple(record.headers) for record in light] == [
        tuple(headers) for _, _, headers in GIVEN
    ]
