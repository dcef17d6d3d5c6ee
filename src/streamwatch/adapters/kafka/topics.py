"""The Kafka topics: created, checked and measured, with kafka-python's admin client."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from kafka import TopicPartition
from kafka.admin import (
    ConfigResource,
    ConfigResourceType,
    OffsetSpec,
)
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    TopicAlreadyExistsError,
    for_code,
)

from streamwatch.adapters.kafka.administration import PATIENCE_S, administration
from streamwatch.adapters.kafka.security import Broker
from streamwatch.domain.messages import INCIDENTS_TOPIC, READINGS_TOPIC, VERDICTS_TOPIC, prefixed
from streamwatch.domain.settings import Settings
from streamwatch.errors import BrokerError

DEAD_LETTERS = ".dlq"
"""What the name of a source's dead-letter topic ends with."""

DEFAULT_MAX_BYTES = 1_048_588
DEFAULT_FUTURE_MS = 3_600_000

_KEPT = {
    "retention.ms": "-1",
    "retention.bytes": str(1 << 30),
    "segment.ms": str(10 * 365 * 86_400_000),
    "segment.bytes": str(128 << 20),
}

Level = Literal["error", "warning"]


class TopicCreated(msgspec.Struct, frozen=True):
    """A topic that exists now; ``created`` says whether it did not before."""

    topic: str
    partitions: int
    created: bool


class TopicFinding(msgspec.Struct, frozen=True):
    """Something about a topic that a person should know, and what to do."""

    level: Level
    topic: str
    text: str


class TopicFacts(msgspec.Struct, frozen=True):
    """What the broker says of a topic.

    Attributes:
        topic_id: Kafka's own id; another one after the topic was deleted and made anew.
        partitions: how many.
        leaderless: how many of them no broker serves now.
        max_bytes: the largest batch that it takes.
        future_ms: how far ahead of the broker's clock a record's time may be.
        settings: all its settings by name.
    """

    topic_id: str
    partitions: int
    leaderless: int
    max_bytes: int
    future_ms: int
    settings: Mapping[str, str]


def needed_topics(settings: Settings, partitions: int | None = None) -> dict[str, int]:
    """Every topic that streamwatch reads or writes, with its number of partitions.

    >>> needed_topics(Settings())["streamwatch.readings"], needed_topics(Settings(), 3)["return"]
    (8, 3)
    """
    wide = settings.kafka.partitions if partitions is None else partitions
    sources = dict.fromkeys((source.topic for source in settings.sources), wide)
    dead_letters = {topic + DEAD_LETTERS: 1 for topic in sources}
    sources |= dict.fromkeys((stage.topic for stage in settings.stage_topics), wide)
    # Verdicts have one partition, so that one worker at a time is the judge of the whole fleet.
    inner = {READINGS_TOPIC: wide, VERDICTS_TOPIC: 1, INCIDENTS_TOPIC: 1}
    named = {prefixed(topic, settings.kafka.prefix): count for topic, count in inner.items()}
    return sources | dead_letters | named


def create_topics(settings: Settings, partitions: int | None = None) -> list[TopicCreated]:
    """Create what is missing; what exists stays as it is.

    They keep 1 GiB a partition, whatever its age. A replayed record has its original arrival
    as its time: by any limit of age Kafka would delete it within minutes, and by its usual
    limit of a week to a segment a small shop's history would become thousands of files.

    Args:
        settings: name the broker and the topics.
        partitions: of the sources and the readings; default: as the settings say.

    Raises:
        BrokerError: Kafka does not answer or refuses.
    """
    wanted = needed_topics(settings, partitions)
    with administration(settings.kafka) as admin:
        before = _described(admin, wanted)
        missing = {
            topic: {"num_partitions": count, "configs": _KEPT}
            for topic, count in wanted.items()
            if topic not in before
        }
        if missing:
            answer = admin.create_topics(missing, raise_errors=False)
            for topic in answer["topics"]:
                _raise_unless_there(topic, settings.kafka.bootstrap)
            admin.wait_for_topics(list(missing), timeout_ms=PATIENCE_S * 1000)
        after = _described(admin, wanted)
    return [
        TopicCreated(topic, len(after[topic]["partitions"]), topic in missing) for topic in wanted
    ]


def _raise_unless_there(topic: Mapping[str, Any], bootstrap: str) -> None:
    kind = for_code(topic["error_code"])
    if topic["error_code"] and kind is not TopicAlreadyExistsError:
        why = topic["error_message"] or kind.__name__
        raise BrokerError(f"Kafka at {bootstrap} does not create {topic['name']}: {why}")


def topic_facts(broker: Broker, topics: Iterable[str] | None = None) -> dict[str, TopicFacts]:
    """Facts of the topics that exist; of all topics if none are named.

    Raises:
        BrokerError: Kafka does not answer or refuses.
    """
    with administration(broker) as admin:
        found = _described(admin, topics)
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in found]
        answer = admin.describe_configs(resources, config_filter="all") if resources else {}
    settings = {
        topic: {name: str(one["value"]) for name, one in entries.items()}
        for topic, entries in answer.get("topic", {}).items()
    }
    return {
        topic: TopicFacts(
            topic_id=str(one["topic_id"]),
            partitions=len(one["partitions"]),
            leaderless=sum(part["leader_id"] < 0 for part in one["partitions"]),
            max_bytes=int(settings.get(topic, {}).get("max.message.bytes", DEFAULT_MAX_BYTES)),
            future_ms=int(
                settings.get(topic, {}).get("message.timestamp.after.max.ms", DEFAULT_FUTURE_MS)
            ),
            settings=settings.get(topic, {}),
        )
        for topic, one in found.items()
    }


def topic_ids(broker: Broker, topics: Iterable[str]) -> dict[str, str]:
    """Topic → Kafka's id of it, for the topics that exist.

    Raises:
        BrokerError: Kafka does not answer.
    """
    with administration(broker) as admin:
        return {name: str(one["topic_id"]) for name, one in _described(admin, topics).items()}


def partition_counts(broker: Broker, topics: Iterable[str]) -> dict[str, int]:
    """Topic → number of partitions, for the topics that exist.

    Raises:
        BrokerError: Kafka does not answer.
    """
    with administration(broker) as admin:
        found = _described(admin, topics)
    return {name: len(one["partitions"]) for name, one in found.items()}


def end_offsets(broker: Broker, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """(topic, partition) → the offset that its next record will get.

    Raises:
        BrokerError: Kafka does not answer.
    """
    with administration(broker) as admin:
        found = _described(admin, topics)
        wanted = {
            TopicPartition(name, part["partition_index"]): OffsetSpec.LATEST
            for name, one in found.items()
            for part in one["partitions"]
        }
        ends = admin.list_partition_offsets(wanted) if wanted else {}
    return {(place.topic, place.partition): end.offset for place, end in ends.items()}


def committed_offsets(broker: Broker, group: str) -> dict[tuple[str, int], int]:
    """(topic, partition) → what a consumer group has committed; without those it has not.

    Raises:
        BrokerError: Kafka does not answer.
    """
    deadline = time.monotonic() + PATIENCE_S
    with administration(broker) as admin:
        while True:
            try:
                found = admin.list_group_offsets(group)[group]
                break
            except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError):
                # A fresh broker makes its topic of offsets at the first question.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
    return {
        (place.topic, place.partition): one.offset
        for place, one in found.items()
        if one.offset >= 0
    }


def _described(admin: Any, topics: Iterable[str] | None) -> dict[str, Any]:
    names = None if topics is None else list(topics)
    found = [] if names == [] else admin.describe_topics(names)
    return {one["name"]: one for one in found if not one["error_code"] and not one["is_internal"]}
