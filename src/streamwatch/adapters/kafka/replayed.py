"""What a replay did, and how long it will last in Kafka."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from streamwatch.adapters.kafka.topics import TopicFacts


class Replayed(msgspec.Struct):
    """What a replay did.

    Attributes:
        sent: topic → records that Kafka acknowledged.
        oversized: topic → records above the topic's limit, left out.
        future: topic → records dated further ahead than the topic allows, left out.
        taken: records read; the sum of the three.
        first_ms, last_ms: earliest and latest time of a record sent; ``None`` without any.
        stopped: whether it was told to stop before the end.
        seconds: how long it took.
    """

    sent: Counter[str] = msgspec.field(default_factory=Counter)
    oversized: Counter[str] = msgspec.field(default_factory=Counter)
    future: Counter[str] = msgspec.field(default_factory=Counter)
    taken: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    stopped: bool = False
    seconds: float = 0.0


def deleted_soon(facts: Mapping[str, TopicFacts], done: Replayed, now_ms: int) -> dict[str, int]:
    """Topics that got records older than they keep any → how long they keep them, in ms.

    Kafka counts a record's age from its own time, so that it deletes replayed history within
    minutes where a topic keeps records for days.
    """
    kept = {topic: int(facts[topic].settings.get("retention.ms", -1)) for topic in done.sent}
    first_ms = now_ms if done.first_ms is None else done.first_ms
    return {topic: ms for topic, ms in kept.items() if 0 <= ms < now_ms - first_ms}
