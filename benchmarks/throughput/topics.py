"""The topics that hold the events, filled once for all contenders."""

import time
from collections.abc import Iterator

from kafka.admin import KafkaAdminClient, NewTopic
from workload import PARTITIONS, events

from streamwatch.adapters.kafka.outgoing import Outgoing
from streamwatch.adapters.kafka.replay import replay


def fill(bootstrap: str, topic: str, count: int, hours: float) -> None:
    """Put events into a new topic of `PARTITIONS` partitions, keyed by shop.

    Kafka counts a record's age from its own time and would soon delete such old ones, so the
    topic keeps everything.
    """
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    kept = {"retention.ms": "-1", "message.timestamp.type": "CreateTime"}
    client.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs=kept)])
    patience = time.monotonic() + 30
    while topic not in client.list_topics() and time.monotonic() < patience:
        time.sleep(0.1)
    client.close()
    time.sleep(1)

    def records() -> Iterator[Outgoing]:
        for number, (at, shop, value) in enumerate(events(count, hours)):
            yield Outgoing(topic, shop.encode(), value, at, "bench", number)

    replay(records(), bootstrap, now_ms=2**53)
