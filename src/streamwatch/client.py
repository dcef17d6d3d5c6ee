"""For services of your own: send what a stage made of an event, to be tapped.

The topic is declared in `streamwatch.yaml` under `stage_topics`; see docs/taps.md. This file needs
nothing but Python and a producer that you have already.
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
    stage: str, event: Mapping[str, Any], *, producer: Producer, topic: str | None = None
) -> None:
    """Send an event as it stands after a stage of yours.

    Args:
        stage: the stage's name.
        event: its fields by name; ``event_id`` and ``shop`` must be there, as they came.
        producer: sends it.
        topic: default ``streamwatch.stage.<stage>``.

    Raises:
        ValueError: the event lacks its id or its shop.

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
    producer.send(topic or f"streamwatch.stage.{stage}", value=value, key=key)
