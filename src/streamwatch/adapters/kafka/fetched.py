"""Records as the consumer makes them of what it fetched: light ones.

The client makes an object with a dictionary of its own for every record, which takes as long as
decoding the record's JSON does, and as much again when Python looks for cycles. What is made here
has the same attributes, takes half as long, and is nothing that Python has to look through.
Nobody promises the method that is replaced, so the client's version is pinned, and
`tests/unit/kafka/test_fetched_records.py` fails if an upgrade changes it.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from aiokafka.consumer.fetcher import PartitionRecords  # type: ignore[import-untyped]


class FetchedRecord(msgspec.Struct, frozen=True, gc=False):
    """A `domain.records.Record` with what Faust reads besides."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    timestamp_type: ClassVar[int] = 0
    checksum: ClassVar[None] = None
    serialized_key_size: ClassVar[int] = -1
    serialized_value_size: ClassVar[int] = -1


def make_light_records() -> None:
    """From now on, consumers of this process make light records; they deserialize nothing."""
    PartitionRecords._consumer_record = _light  # noqa: SLF001  # see the module


def _light(_: Any, tp: Any, record: Any) -> FetchedRecord:
    return FetchedRecord(
        tp.topic,
        tp.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        record.headers,
    )
