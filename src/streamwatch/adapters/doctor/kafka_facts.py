"""What the doctor asks Kafka; nothing is changed."""

import socket
from collections.abc import Mapping
from typing import Any

import msgspec
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import KafkaError

from streamwatch.adapters.formats.registry import Registry, UnknownSchemaError
from streamwatch.adapters.kafka.administration import administration
from streamwatch.adapters.kafka.topic_check import judge_topics
from streamwatch.adapters.kafka.topics import (
    TopicFinding,
    committed_offsets,
    needed_topics,
    topic_facts,
)
from streamwatch.domain.settings import KafkaSettings, Settings
from streamwatch.errors import BrokerError, RegistryError

AHEAD_MS = 300_000
"""So far ahead of this clock a record's time may be."""

DENIED = 29
"""Kafka's code for a topic that this user may not see."""

LISTEN_S = 3.0


class Topic(msgspec.Struct, frozen=True):
    """A topic that streamwatch uses.

    Attributes:
        partitions: how many.
        replicas: of the partition that has fewest.
        least_in_sync: ``min.insync.replicas``.
        retention: how long records are kept, milliseconds; -1 for ever.
    """

    partitions: int
    replicas: int
    least_in_sync: int
    retention: int


class Place(msgspec.Struct, frozen=True):
    """Where the group stands in a partition of a source.

    Attributes:
        first, end: the offsets that the partition holds; ``end`` is the next one.
        committed: of the group; ``None`` without any.
        half: the first offset that is younger than half the retention; ``None`` for none.
        ahead: whether there is a record dated ahead of now.
    """

    topic: str
    partition: int
    first: int
    end: int
    committed: int | None = None
    half: int | None = None
    ahead: bool = False


class KafkaFacts(msgspec.Struct, frozen=True):
    """What Kafka says.

    Attributes:
        brokers: address → why it cannot be reached; empty if it can.
        topics: those of streamwatch that are there.
        denied: those that this user may not see.
        findings: of ``streamwatch topics check``.
        places: of the sources' partitions.
        members: workers in the group.
        offsets_denied: why the group's offsets cannot be read; empty if they can.
        session_timeout: as configured, milliseconds.
        session_limits: the shortest and the longest that the broker takes; ``None`` if unknown.
        registry: why the schema registry cannot be used; empty if it can, or if there is none.
    """

    bootstrap: str
    brokers: Mapping[str, str]
    topics: Mapping[str, Topic]
    denied: tuple[str, ...] = ()
    findings: tuple[TopicFinding, ...] = ()
    places: tuple[Place, ...] = ()
    members: int = 0
    sources: tuple[str, ...] = ()
    offsets_denied: str = ""
    session_timeout: int = 30_000
    session_limits: tuple[int, int] | None = None
    registry: str = ""


def ask_kafka(settings: Settings, now_ms: int, auth: str = "") -> KafkaFacts:
    """Everything that the checks need.

    Args:
        settings: the configuration.
        now_ms: the wall clock.
        auth: of the schema registry.

    Raises:
        BrokerError: Kafka does not answer.
    """
    broker = settings.kafka
    needed = needed_topics(settings)
    facts = topic_facts(broker, needed)
    with administration(broker) as admin:
        brokers = admin.describe_cluster()["brokers"]
        limits = _session_limits(admin, brokers)
        described = {one["name"]: one for one in admin.describe_topics(list(needed))}
    denied = tuple(name for name, one in described.items() if one["error_code"] == DENIED)
    findings = judge_topics(settings, facts)
    topics = {
        name: Topic(
            partitions=one.partitions,
            replicas=min(len(part["replica_nodes"]) for part in described[name]["partitions"]),
            least_in_sync=int(one.settings.get("min.insync.replicas", 1)),
            retention=int(one.settings.get("retention.ms", -1)),
        )
        for name, one in facts.items()
    }
    sources = tuple(source.topic for source in settings.sources)
    committed, members, offsets_denied = _group(broker)
    return KafkaFacts(
        bootstrap=broker.bootstrap,
        brokers={f"{one['host']}:{one['port']}": _reached(one) for one in brokers},
        topics=topics,
        denied=denied,
        findings=tuple(one for one in findings if one.topic not in denied),
        places=tuple(_places(broker, topics, sources, committed, now_ms)),
        members=members,
        sources=sources,
        offsets_denied=offsets_denied,
        session_timeout=broker.session_timeout,
        session_limits=limits,
        registry=_registry(broker.schema_registry, auth),
    )


def _session_limits(admin: Any, brokers: list[Any]) -> tuple[int, int] | None:
    """What the first broker takes; ``None`` where this user may not ask."""
    resource = ConfigResource(ConfigResourceType.BROKER, str(brokers[0]["broker_id"]))
    try:
        found = admin.describe_configs([resource], config_filter="all")
    except KafkaError:
        return None
    settings: Mapping[str, Any] = next(iter(found.get("broker", {}).values()), {})
    names = ("group.min.session.timeout.ms", "group.max.session.timeout.ms")
    if not all(name in settings for name in names):
        return None
    low, high = (int(settings[name]["value"]) for name in names)
    return low, high


def _registry(url: str, auth: str) -> str:
    if not url:
        return ""
    try:
        Registry(url, auth).schema(1)
    except UnknownSchemaError:
        return ""
    except RegistryError as error:
        return str(error)
    return ""


def _reached(broker: Mapping[str, Any]) -> str:
    """Why an advertised address cannot be reached from here; empty if it can."""
    try:
        socket.create_connection((broker["host"], broker["port"]), LISTEN_S).close()
    except (OSError, OverflowError) as error:
        return str(error)
    return ""


def _group(broker: KafkaSettings) -> tuple[dict[tuple[str, int], int], int, str]:
    """What the group has committed, its members, and why that cannot be read."""
    try:
        committed = committed_offsets(broker, broker.group)
        with administration(broker) as admin:
            found = admin.describe_groups([broker.group])
    except BrokerError as error:
        return {}, 0, str(error)
    one = found.get(broker.group, {}) if isinstance(found, dict) else found[0]
    return committed, len(one.get("members") or ()), ""


def _places(
    broker: KafkaSettings,
    topics: Mapping[str, Topic],
    sources: tuple[str, ...],
    committed: Mapping[tuple[str, int], int],
    now_ms: int,
) -> list[Place]:
    """Every partition of the sources that exist."""
    partitions = [
        (TopicPartition(name, number), topics[name].retention)
        for name in sources
        if name in topics
        for number in range(topics[name].partitions)
    ]
    if not partitions:
        return []
    every = [place for place, _ in partitions]
    aged = {place: now_ms - kept // 2 for place, kept in partitions if kept > 0}
    with administration(broker) as admin:
        first = _offsets(admin, dict.fromkeys(every, OffsetSpec.EARLIEST))
        end = _offsets(admin, dict.fromkeys(every, OffsetSpec.LATEST))
        ahead = _offsets(admin, dict.fromkeys(every, now_ms + AHEAD_MS))
        half = _offsets(admin, aged) if aged else {}
    return [
        Place(
            topic=place.topic,
            partition=place.partition,
            first=first.get(place, 0),
            end=end.get(place, 0),
            committed=committed.get((place.topic, place.partition)),
            half=half.get(place, -1) if half.get(place, -1) >= 0 else None,
            ahead=ahead.get(place, -1) >= 0,
        )
        for place in every
    ]


def _offsets(admin: Any, wanted: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    found = admin.list_partition_offsets(dict(wanted))
    return {place: one.offset for place, one in found.items()}
