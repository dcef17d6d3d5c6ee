"""Telling JUDGE and FLEET what a person said of an incident."""

import contextlib
from collections.abc import Sequence

import msgspec
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
from streamwatch.domain.messages import READINGS_TOPIC, VERDICTS_TOPIC, Acknowledge, prefixed
from streamwatch.domain.settings import KafkaSettings


def publish_acknowledgements(kafka: KafkaSettings, words: Sequence[Acknowledge]) -> None:
    """Send words to the judges of their shops, and to FLEET; returns once Kafka has them.

    The judge of a shop reads the partition of the shop's name, as partials go.

    Raises:
        BrokerError: Kafka does not answer, refuses, or lacks the topics.
        ConfigurationError: ``bootstrap`` is not ``host:port``.
    """
    options = client_options(kafka)
    check_listening(kafka.bootstrap, options.get("ssl_context"))
    readings, verdicts = (prefixed(one, kafka.prefix) for one in (READINGS_TOPIC, VERDICTS_TOPIC))
    milliseconds = int(PATIENCE_S * 1000)
    with silent("kafka"), translated(kafka.bootstrap, refused_user(kafka)):
        producer = KafkaProducer(
            **options,
            bootstrap_timeout_ms=milliseconds,
            request_timeout_ms=milliseconds // 2,
            delivery_timeout_ms=milliseconds,
            max_block_ms=milliseconds,
        )
        try:
            sent = [
                *(
                    producer.send(
                        readings, key=one.key.shop.encode(), value=msgspec.msgpack.encode(one)
                    )
                    for one in words
                ),
                *(
                    producer.send(
                        verdicts,
                        key=one.key.shop.encode(),
                        value=msgspec.json.encode(one),
                        partition=0,
                    )
                    for one in words
                ),
            ]
            for future in sent:
                future.get(timeout=PATIENCE_S)
        finally:
            with contextlib.suppress(KafkaError):
                producer.close(timeout=1)
