"""For services of your own: send what a stage made of an event, to be tapped.

The topic is declared in `streamwatch.yaml` under `stage_topics`; see docs/taps.md. With a producer
that you have already, this file needs nothing but Python.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

LEFT_OUT = frozenset({"shopper"})
"""Fields that are not sent: a stage's results are joined by event id, not by person."""


class Producer(Protocol):
    """What is needed of a producer; kafka-python's ``KafkaProducer`` is one."""

    def send(self, topic: str, value: bytes, key: bytes) -> Any:
        """Queue a record; must not wait for the broker."""
        ...


def tap(
    stage: str,
    event: Mapping[str, Any],
    *,
    producer: Producer | None = None,
    topic: str | None = None,
) -> None:
    """Send an event as it stands after a stage of yours.

    Args:
        stage: the stage's name.
        event: its fields by name; ``event_id`` and ``shop`` must be there, as they came.
        producer: sends it; without one, a producer of streamwatch's own to the broker that
            ``STREAMWATCH_KAFKA_BOOTSTRAP`` or `streamwatch.yaml` names, made at the first call.
        topic: default ``streamwatch.stage.<stage>``.

    Raises:
        ValueError: the event lacks its id or its shop.
        BrokerError: without a producer: Kafka does not answer.

    >>> class Printing:
    ...     def send(self, topic, value, key):
    ...         print(topic, value.decode())
    >>> tap("sizing", {"event_id": "e-1", "shop": "s", "height": 170.0}, producer=Printing())
    streamwatch.stage.sizing {"event_id": "e-1", "shop": "s", "height": 170.0}
    """
    for needed in ("event_id", "shop"):
        if not event.get(needed):
            raise ValueError(f"the event has no `{needed}`, so nothing can be joined with it")
    fields = {name: value for name, value in event.items() if name not in LEFT_OUT}
    value = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
    key = str(event["shop"]).encode("utf-8", "replace")
    if producer is None:
        # Only here, so that a service with a producer needs nothing else of streamwatch.
        from streamwatch.adapters.kafka.stage_producer import stage_producer  # noqa: PLC0415

        producer = stage_producer()
    producer.send(topic or f"streamwatch.stage.{stage}", value=value, key=key)
