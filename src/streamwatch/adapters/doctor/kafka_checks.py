"""The mistakes that people make with Kafka."""

from collections.abc import Iterator

from streamwatch.adapters.doctor.check import Advice, Check
from streamwatch.adapters.doctor.kafka_facts import AHEAD_MS, KafkaFacts, Place

FEW_PARTITIONS = 2
SAFE_REPLICAS = 2
HOUR_MS = 3_600_000


def unreachable(why: str) -> Advice:
    """That Kafka does not answer."""
    return Advice(
        why,
        "without it a worker neither reads nor writes anything",
        "start the broker, or put kafka.bootstrap (STREAMWATCH_KAFKA_BOOTSTRAP) right",
        "error",
    )


def _advertised(facts: KafkaFacts) -> Iterator[Advice]:
    for address, why in facts.brokers.items():
        if why:
            yield Advice(
                f"the broker calls itself {address}, which cannot be reached from here: {why}",
                f"a client asks {facts.bootstrap} only who the brokers are, and then goes to the "
                "addresses that they advertise",
                "put advertised.listeners of the broker to an address that this machine resolves "
                "and reaches",
                "error",
            )


def _denied(facts: KafkaFacts) -> Iterator[Advice]:
    for topic in facts.denied:
        yield Advice(
            f"this user may not see the topic {topic}",
            "to a client a topic that it may not see looks as if it were missing",
            f"grant it: kafka-acls --add --allow-principal User:NAME --operation All "
            f"--topic {topic}",
            "error",
        )
    if facts.offsets_denied:
        yield Advice(
            f"the consumer group cannot be read: {facts.offsets_denied}",
            "workers that may not join their group get no partition",
            "grant this user Read and Describe on the group kafka.group",
            "error",
        )


def _missing(facts: KafkaFacts) -> Iterator[Advice]:
    missing = [one.topic for one in facts.findings if one.text.startswith("is missing")]
    if missing:
        yield Advice(
            f"these topics are missing: {', '.join(missing)}",
            "a worker does not start without all of them",
            "run: streamwatch topics create",
            "error",
        )


_TOPIC_WHY = {
    "is compacted": "a record that compaction drops before it is read is in no count",
    "takes no record above": "a producer's larger batch is refused, and its records are lost",
    "takes less than its source": "the record that could not be read is lost for good",
    "replaces the time": "the judge's clock goes by the records' times, so that history looks new",
    "partitions have no leader": "what is in these partitions can be neither read nor written",
}


def _topic_settings(facts: KafkaFacts) -> Iterator[Advice]:
    for one in facts.findings:
        why = next((why for part, why in _TOPIC_WHY.items() if part in one.text), "")
        if why:
            what, _, remedy = one.text.partition(": ")
            yield Advice(f"the topic {one.topic} {what}", why, remedy, one.level)


def _partition_counts(facts: KafkaFacts) -> Iterator[Advice]:
    for one in facts.findings:
        if "partitions and must have 1" in one.text or "kafka.partitions says" in one.text:
            what, _, remedy = one.text.partition(": ")
            yield Advice(
                f"the topic {one.topic} {what}",
                "all partial readings of a shop belong to one judge, all verdicts to one fleet",
                remedy,
                one.level,
            )


def _one_partition(facts: KafkaFacts) -> Iterator[Advice]:
    for topic in facts.sources:
        found = facts.topics.get(topic)
        if found is not None and found.partitions < FEW_PARTITIONS:
            yield Advice(
                f"the source {topic} has one partition",
                "only one worker can read it, however many there are",
                f"give it more: kafka-topics --alter --topic {topic} --partitions 8",
            )


def _more_workers(facts: KafkaFacts) -> Iterator[Advice]:
    counts = [facts.topics[topic].partitions for topic in facts.sources if topic in facts.topics]
    if counts and facts.members > sum(counts):
        yield Advice(
            f"{facts.members} workers share {sum(counts)} partitions",
            "the workers beyond the number of partitions have nothing to do",
            "stop some, or give the topics more partitions",
        )


def _replicas(facts: KafkaFacts) -> Iterator[Advice]:
    for name, topic in facts.topics.items():
        if topic.replicas < topic.least_in_sync:
            yield Advice(
                f"the topic {name} has {topic.replicas} replicas and wants "
                f"{topic.least_in_sync} in sync (min.insync.replicas)",
                "so no record can be written: every producer that waits for all is refused",
                "give it more replicas, or set min.insync.replicas lower",
                "error",
            )
    lonely = [name for name, topic in facts.topics.items() if topic.replicas < SAFE_REPLICAS]
    if lonely and len(facts.brokers) > 1:
        yield Advice(
            f"these topics have one replica though there are {len(facts.brokers)} brokers: "
            f"{', '.join(sorted(lonely))}",
            "when that broker's disk is lost, so are the records",
            "raise their replication factor: kafka-reassign-partitions",
        )


def _retention(facts: KafkaFacts) -> Iterator[Advice]:
    for place in facts.places:
        where = f"{place.topic}[{place.partition}]"
        if place.committed is None:
            continue
        if place.committed < place.first:
            yield Advice(
                f"{place.first - place.committed:,} records of {where} were deleted unread",
                "they are in no count, and shops may look silent or smaller",
                "raise retention.ms of the topic, and add workers or find out why they stood still",
                "error",
            )
        elif _is_behind(place):
            kept = facts.topics[place.topic].retention / HOUR_MS
            yield Advice(
                f"the workers are behind in {where} by more than half of what it keeps "
                f"({kept:,.1f} h)",
                "Kafka deletes what is older, read or not",
                "add workers, or raise retention.ms until they have caught up",
            )


def _is_behind(place: Place) -> bool:
    unread = place.committed is not None and place.committed < place.end
    # No offset is young enough when every record is older than half of the retention.
    return (
        unread
        and (place.half is None or (place.committed or 0) < place.half)
        and (place.half is not None or place.end > place.first)
    )


def _clock(facts: KafkaFacts) -> Iterator[Advice]:
    topics = sorted({place.topic for place in facts.places if place.ahead})
    if topics:
        yield Advice(
            f"records of {', '.join(topics)} are dated more than {AHEAD_MS // 60_000} minutes "
            "ahead of this clock",
            "the judge takes the newest record's time for now, so that other shops look silent",
            "set the producers' clocks, or this one's: chronyc tracking",
        )


def _session(facts: KafkaFacts) -> Iterator[Advice]:
    if facts.session_limits is None:
        return
    low, high = facts.session_limits
    if not low <= facts.session_timeout <= high:
        yield Advice(
            f"kafka.session_timeout is {facts.session_timeout / 1000:g} s; the broker takes "
            f"{low / 1000:g} to {high / 1000:g} s",
            "it refuses every worker that wants to join the group",
            "set kafka.session_timeout within these, or group.max.session.timeout.ms of the broker",
            "error",
        )


def _registry(facts: KafkaFacts) -> Iterator[Advice]:
    if facts.registry:
        yield Advice(
            facts.registry,
            "partitions of sources in Avro, JSON Schema or Protobuf wait for it",
            "start it, or put kafka.schema_registry and STREAMWATCH_SCHEMA_REGISTRY_AUTH right",
            "error",
        )


KAFKA: tuple[Check[KafkaFacts], ...] = (
    Check("advertised-listener", "the brokers' own addresses are reachable", _advertised),
    Check("acl", "this user may see the topics and the group", _denied),
    Check("topics-missing", "every topic is there", _missing),
    Check("topic-settings", "no topic's settings lose or refuse records", _topic_settings),
    Check("partition-counts", "internal topics have the partitions they need", _partition_counts),
    Check("one-partition", "several workers can share every source", _one_partition),
    Check("idle-workers", "there are no more workers than partitions", _more_workers),
    Check("replication", "records survive the loss of a broker", _replicas),
    Check("retention", "nothing is deleted before it is read", _retention),
    Check("clock-ahead", "no record is dated ahead of now", _clock),
    Check("session-timeout", "the broker takes the session timeout", _session),
    Check("schema-registry", "the schema registry answers, if there is one", _registry),
)
