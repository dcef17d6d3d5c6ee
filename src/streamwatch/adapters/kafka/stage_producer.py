"""The producer of a service that has none of its own, for `streamwatch.client.tap`."""

import os
from functools import cache
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streamwatch.adapters.kafka.administration import (
    PATIENCE_S,
    check_listening,
    refused_user,
    silent,
    translated,
)
from streamwatch.adapters.kafka.security import client_options
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.errors import BrokerError

LINGER_MS = 20
"""How long a record waits for others to be sent with."""


class StageProducer:
    """Queues records, and says in words of ours why one cannot be."""

    def __init__(self, producer: KafkaProducer, bootstrap: str) -> None:
        self._producer = producer
        self._bootstrap = bootstrap

    def send(self, topic: str, value: bytes, key: bytes) -> Any:
        """Queue a record.

        Raises:
            BrokerError: Kafka does not answer, or lacks the topic.
        """
        try:
            return self._producer.send(topic, value=value, key=key)
        except KafkaError as error:
            raise BrokerError(
                f"Kafka at {self._bootstrap} does not take records of the topic {topic} "
                f"({type(error).__name__}); if it is not there, declare it under `stage_topics` "
                "and run: streamwatch topics create"
            ) from error


@cache
def stage_producer() -> StageProducer:
    """The one of this process, made at the first call; what is queued is sent before it ends.

    It goes where the settings say, so by ``STREAMWATCH_KAFKA_BOOTSTRAP`` without any file.

    Raises:
        BrokerError: Kafka does not answer or refuses; the next call tries again.
        ConfigurationError: the settings are wrong.
    """
    kafka = load_settings(None, os.environ).kafka
    options = client_options(kafka)
    check_listening(kafka.bootstrap, options.get("ssl_context"))
    milliseconds = int(PATIENCE_S * 1000)
    with silent("kafka"), translated(kafka.bootstrap, refused_user(kafka)):
        producer = KafkaProducer(
            **options,
            linger_ms=LINGER_MS,
            bootstrap_timeout_ms=milliseconds,
            max_block_ms=milliseconds,
        )
    return StageProducer(producer, kafka.bootstrap)
