"""The newest records of a topic, for `streamwatch init`; no group, nothing is committed."""

from collections.abc import Iterator
from typing import Any

import msgspec
from kafka import KafkaConsumer, TopicPartition

from streamwatch.adapters.formats.guess import guessed
from streamwatch.adapters.kafka.administration import (
    PATIENCE_S,
    check_listening,
    silent,
    translated,
)
from streamwatch.adapters.kafka.security import address_of, client_options
from streamwatch.adapters.samples import sample_values
from streamwatch.domain.records import FileRecord
from streamwatch.domain.settings import KafkaSettings
from streamwatch.errors import BrokerError
from streamwatch.onboarding.sample import MOST_ROWS, Sample

POLL_MS = 1_000


class TopicSample(msgspec.Struct, frozen=True):
    """The sample of a topic and the format of its records."""

    sample: Sample
    form: str


def sample_topic(broker: KafkaSettings, topic: str, auth: str = "") -> TopicSample:
    """The newest records of each partition, alike many.

    Args:
        broker: how it is reached, and the schema registry.
        topic: its name.
        auth: of the registry, see `formats.registry.load_auth`.

    Raises:
        BrokerError: Kafka does not answer, or the topic is missing or empty.
        ConfigurationError: the records need a registry or a package that is not there.
    """
    records = list(_newest(broker, topic, MOST_ROWS))
    if not records:
        raise BrokerError(f"{topic} holds no records yet: let the client send some first")
    form, values = guessed(records, broker.schema_registry, auth)
    return TopicSample(sample_values(values), form)


def _newest(broker: KafkaSettings, topic: str, most: int) -> Iterator[FileRecord]:
    bootstrap = address_of(broker)
    check_listening(bootstrap)
    with silent("kafka"), translated(bootstrap):
        consumer: Any = KafkaConsumer(
            **client_options(broker),
            enable_auto_commit=False,
            request_timeout_ms=PATIENCE_S * 1_000 + 5_000,
        )
        try:
            numbers = consumer.partitions_for_topic(topic)
            if not numbers:
                raise BrokerError(f"Kafka at {bootstrap} has no topic {topic}")
            places = [TopicPartition(topic, number) for number in sorted(numbers)]
            first, end = consumer.beginning_offsets(places), consumer.end_offsets(places)
            each = most // len(places) + 1
            places = [place for place in places if end[place] > first[place]]
            consumer.assign(places)
            for place in places:
                consumer.seek(place, max(first[place], end[place] - each))
            yield from _until(consumer, {place: end[place] for place in places})
        finally:
            consumer.close()


def _until(consumer: Any, ends: dict[TopicPartition, int]) -> Iterator[FileRecord]:
    """Records up to the ends, or until no more come."""
    left = set(ends)
    while left and (found := consumer.poll(timeout_ms=POLL_MS)):
        for place, records in found.items():
            for record in records:
                if record.offset < ends[place]:
                    yield FileRecord(
                        record.offset,
                        record.value,
                        record.timestamp,
                        record.key,
                        tuple(record.headers or ()),
                    )
            if consumer.position(place) >= ends[place]:
                left.discard(place)
