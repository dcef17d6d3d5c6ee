from streamwatch.adapters.kafka.replayed import Replayed, deleted_soon
from streamwatch.adapters.kafka.topic_check import judge_topics
from streamwatch.adapters.kafka.topics import TopicFacts, needed_topics
from streamwatch.domain.settings import Settings


def fact(
    partitions: int = 8, *, leaderless: int = 0, max_bytes: int = 1_048_588, **settings: str
) -> TopicFacts:
    named = {name.replace("_", "."): value for name, value in settings.items()}
    return TopicFacts("id", partitions, leaderless, max_bytes, 3_600_000, named)


def all_right() -> dict[str, TopicFacts]:
    return {topic: fact(count) for topic, count in needed_topics(Settings()).items()}


def texts(facts: dict[str, TopicFacts]) -> dict[str, tuple[str, str]]:
    return {found.topic: (found.level, found.text) for found in judge_topics(Settings(), facts)}


def test_topics_as_created_have_no_findings() -> None:
    assert texts(all_right()) == {}


def test_a_missing_topic_names_the_next_command() -> None:
    facts = all_right()
    del facts["return"]
    assert texts(facts) == {"return": ("error", "is missing: streamwatch topics create")}


def test_verdicts_must_have_one_partition() -> None:
    level, text = texts(all_right() | {"streamwatch.verdicts": fact(4)})["streamwatch.verdicts"]
    assert level == "error"
    assert "must have 1" in text


def test_settings_that_lose_records_are_found() -> None:
    found = texts(
        all_right()
        | {
            "purchase": fact(message_timestamp_type="LogAppendTime"),
            "return": fact(cleanup_policy="compact,delete"),
            "widget-event": fact(leaderless=2),
            "widget-event.dlq": fact(1, max_bytes=1_000),
            "streamwatch.readings": fact(3),
        }
    )
    assert "CreateTime" in found["purchase"][1]
    assert "compacted" in found["return"][1]
    assert found["widget-event"] == (
        "error",
        "2 of 8 partitions have no leader: see the broker",
    )
    assert "large dead letter" in found["widget-event.dlq"][1]
    assert "kafka.partitions says 8" in found["streamwatch.readings"][1]


def test_history_older_than_a_topic_keeps_is_told() -> None:
    facts = {"purchase": fact(retention_ms="604800000"), "return": fact(retention_ms="-1")}
    done = Replayed(first_ms=0, last_ms=5)
    done.sent.update({"purchase": 1, "return": 1})
    assert deleted_soon(facts, done, now_ms=700_000_000) == {"purchase": 604_800_000}
    assert deleted_soon(facts, done, now_ms=600_000_000) == {}
