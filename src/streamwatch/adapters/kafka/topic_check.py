"""What is wrong with the topics, or will be."""

from collections.abc import Iterator, Mapping

from streamwatch.adapters.kafka.topics import (
    DEAD_LETTERS,
    TopicFacts,
    TopicFinding,
    needed_topics,
    topic_facts,
)
from streamwatch.domain.messages import INCIDENTS_TOPIC, READINGS_TOPIC, VERDICTS_TOPIC, prefixed
from streamwatch.domain.settings import Settings

_LEAST_BYTES = 1_000_000


def check_topics(settings: Settings) -> list[TopicFinding]:
    """Missing topics, partitions, and settings of topics that lose or refuse records.

    Raises:
        BrokerError: Kafka does not answer or refuses.
    """
    facts = topic_facts(settings.kafka, needed_topics(settings))
    return judge_topics(settings, facts)


def judge_topics(settings: Settings, facts: Mapping[str, TopicFacts]) -> list[TopicFinding]:
    """The findings about topics of which the broker says this.

    >>> [finding.text for finding in judge_topics(Settings(), {})][0]
    'is missing: streamwatch topics create'
    """
    findings = []
    for topic in needed_topics(settings):
        if topic in facts:
            findings += [*_about_any(topic, facts[topic])]
        else:
            findings.append(TopicFinding("error", topic, "is missing: streamwatch topics create"))
    for source in settings.sources:
        dead_letters = source.topic + DEAD_LETTERS
        if source.topic in facts and dead_letters in facts:
            findings += _about_source(source.topic, facts[source.topic], facts[dead_letters])
    prefix = settings.kafka.prefix
    for topic in (prefixed(VERDICTS_TOPIC, prefix), prefixed(INCIDENTS_TOPIC, prefix)):
        if topic in facts and facts[topic].partitions != 1:
            text = (
                f"has {facts[topic].partitions} partitions and must have 1, so that one worker "
                "judges the fleet: delete it, then streamwatch topics create"
            )
            findings.append(TopicFinding("error", topic, text))
    readings_topic = prefixed(READINGS_TOPIC, prefix)
    readings = facts.get(readings_topic)
    if readings is not None and readings.partitions != settings.kafka.partitions:
        text = (
            f"has {readings.partitions} partitions, kafka.partitions says "
            f"{settings.kafka.partitions}: put the settings right"
        )
        findings.append(TopicFinding("warning", readings_topic, text))
    return findings


def _about_any(topic: str, facts: TopicFacts) -> Iterator[TopicFinding]:
    if facts.leaderless:
        text = f"{facts.leaderless} of {facts.partitions} partitions have no leader: see the broker"
        yield TopicFinding("error", topic, text)
    if facts.max_bytes < _LEAST_BYTES:
        text = f"takes no record above {facts.max_bytes:,} bytes: set max.message.bytes to 1048588"
        yield TopicFinding("warning", topic, text)
    if "compact" in facts.settings.get("cleanup.policy", ""):
        text = "is compacted, so Kafka drops records unread: set cleanup.policy to delete"
        yield TopicFinding("warning", topic, text)


def _about_source(
    topic: str, facts: TopicFacts, dead_letters: TopicFacts
) -> Iterator[TopicFinding]:
    if dead_letters.max_bytes < facts.max_bytes:
        text = (
            f"takes less than its source {topic} ({dead_letters.max_bytes:,} of "
            f"{facts.max_bytes:,} bytes), so a large dead letter is lost: set max.message.bytes"
        )
        yield TopicFinding("warning", topic + DEAD_LETTERS, text)
    if facts.settings.get("message.timestamp.type") == "LogAppendTime":
        text = (
            "replaces the time of replayed records by now: set message.timestamp.type to "
            "CreateTime before a replay"
        )
        yield TopicFinding("warning", topic, text)
