import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.adapters.kafka.administration import administration
from streamwatch.adapters.kafka.outgoing import Outgoing, compile_dating
from streamwatch.adapters.kafka.replay import replay
from streamwatch.adapters.kafka.topic_check import check_topics
from streamwatch.adapters.kafka.topics import (
    committed_offsets,
    create_topics,
    end_offsets,
    partition_counts,
    topic_facts,
    topic_ids,
)
from streamwatch.domain.settings import KafkaSettings, Settings
from streamwatch.domain.source_settings import SourceSettings
from streamwatch.errors import BrokerError

Start = Callable[..., subprocess.Popen[bytes]]

NOW_MS = 1_790_000_000_000
OLD_MS = 1_291_191_960_000


@pytest.fixture(name="settings")
def _settings(kafka: str, topic_name: Callable[[str], str]) -> Settings:
    source = SourceSettings(topic_name("purchase"), "purchase")
    return Settings(kafka=KafkaSettings(bootstrap=kafka, partitions=4), sources=(source,))


@pytest.fixture(name="topic")
def _topic(settings: Settings) -> str:
    create_topics(settings)
    return settings.sources[0].topic


def outgoing(
    topic: str,
    number: int,
    *,
    value: bytes | None = b"{}",
    time_ms: int = OLD_MS,
    key: bytes | None = None,
) -> Outgoing:
    return Outgoing(topic, key or b"shop-%03d" % (number % 7), value, time_ms, "a.jsonl", number)


def records_of(bootstrap: str, topic: str) -> list[Any]:
    """Everything that stands in a topic, read to its end."""
    ends = {TopicPartition(*place): end for place, end in end_offsets(bootstrap, [topic]).items()}
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    consumer.assign(list(ends))
    found = []
    deadline = time.monotonic() + 90
    while any(consumer.position(place) < end for place, end in ends.items()):
        assert time.monotonic() < deadline, "the topic was not read to its end in time"
        for batch in consumer.poll(timeout_ms=200).values():
            found += batch
    consumer.close()
    return found


def test_topics_are_created_once_and_then_stay(settings: Settings) -> None:
    source = settings.sources[0].topic
    first = {one.topic: one for one in create_topics(settings)}
    assert first[source].created
    assert (first[source].partitions, first[f"{source}.dlq"].partitions) == (4, 1)
    again = create_topics(settings, partitions=9)
    assert not any(one.created for one in again)
    assert partition_counts(settings.kafka.bootstrap, [source]) == {source: 4}
    assert [f for f in check_topics(settings) if f.topic.startswith(source)] == []


def test_topics_keep_replayed_history_whatever_its_age(settings: Settings, topic: str) -> None:
    facts = topic_facts(settings.kafka.bootstrap, [topic])[topic]
    assert facts.settings["retention.ms"] == "-1"
    assert facts.settings["message.timestamp.type"] == "CreateTime"


def test_a_missing_topic_is_found(settings: Settings) -> None:
    missing = {f.topic for f in check_topics(settings) if "is missing" in f.text}
    assert settings.sources[0].topic in missing


def test_a_topic_made_anew_has_another_id(settings: Settings, topic: str) -> None:
    bootstrap = settings.kafka.bootstrap
    before = topic_ids(bootstrap, [topic, "no-such-topic"])
    assert set(before) == {topic}
    with administration(bootstrap) as admin:
        admin.delete_topics([topic])
    deadline = time.monotonic() + 10
    while topic_ids(bootstrap, [topic]) and time.monotonic() < deadline:
        time.sleep(0.05)
    create_topics(settings)
    assert topic_ids(bootstrap, [topic])[topic] != before[topic]


def test_committed_offsets_are_those_of_the_group(settings: Settings, topic: str) -> None:
    bootstrap = settings.kafka.bootstrap
    assert committed_offsets(bootstrap, f"group-of-{topic}") == {}
    with administration(bootstrap) as admin:
        admin.alter_group_offsets(
            f"group-of-{topic}", {TopicPartition(topic, 2): OffsetAndMetadata(7, "", -1)}
        )
    assert committed_offsets(bootstrap, f"group-of-{topic}") == {(topic, 2): 7}


def test_every_record_arrives_once_with_its_key_time_and_order(
    settings: Settings, topic: str
) -> None:
    count = 20_000
    sent = (
        outgoing(topic, n, value=b'{"n":%d,"pad":"%s"}' % (n, b"x" * 200), time_ms=OLD_MS + n)
        for n in range(count)
    )
    done = replay(sent, settings.kafka.bootstrap, now_ms=NOW_MS)
    assert (done.sent, done.taken) == (Counter({topic: count}), count)
    assert (done.first_ms, done.last_ms) == (OLD_MS, OLD_MS + count - 1)
    found = records_of(settings.kafka.bootstrap, topic)
    numbers = [json.loads(record.value)["n"] for record in found]
    assert sorted(numbers) == list(range(count))
    assert all(r.timestamp == OLD_MS + n for r, n in zip(found, numbers, strict=True))
    by_shop: dict[bytes, list[tuple[int, int]]] = {}
    for record, number in zip(found, numbers, strict=True):
        by_shop.setdefault(record.key, []).append((record.partition, number))
    assert all(len({place for place, _ in seen}) == 1 for seen in by_shop.values())
    assert all([n for _, n in seen] == sorted(n for _, n in seen) for seen in by_shop.values())


def test_what_kafka_would_refuse_is_named_and_the_rest_arrives(
    settings: Settings, topic: str
) -> None:
    refused = []
    future_ms = NOW_MS + 2 * 3_600_000
    sent = [
        outgoing(topic, 1),
        outgoing(topic, 2, value=b"x" * 1_100_000),
        outgoing(topic, 3, value=b"y" * 1_040_000),
        outgoing(topic, 4, time_ms=future_ms),
        outgoing(topic, 5, value=None, key=b"s"),
        outgoing(topic, 6, value=b"\xff not json"),
    ]
    done = replay(
        iter(sent),
        settings.kafka.bootstrap,
        now_ms=NOW_MS,
        refused=lambda record, why: refused.append((record.line, why)),
    )
    assert (done.sent[topic], done.oversized[topic], done.future[topic]) == (4, 1, 1)
    assert [line for line, _ in refused] == [2, 4]
    assert "the topic takes 1,048,588" in refused[0][1]
    values = [record.value for record in records_of(settings.kafka.bootstrap, topic)]
    assert sorted(len(value or b"") for value in values) == [0, 2, 10, 1_040_000]
    assert None in values


def test_a_topic_that_is_not_there_is_one_sentence(settings: Settings, topic: str) -> None:
    sent = iter([outgoing(topic, 1), outgoing(topic + "s", 2)])
    with pytest.raises(BrokerError, match=r"a\.jsonl:2: .* has no topic .*streamwatch topics"):
        replay(sent, settings.kafka.bootstrap, now_ms=NOW_MS)


def test_accelerated_time_keeps_the_distances_of_the_records(
    settings: Settings, topic: str
) -> None:
    hour_ms = 3_600_000
    sent = [outgoing(topic, n, time_ms=OLD_MS + n * hour_ms) for n in range(5)]
    seen = []
    done = replay(
        iter(sent),
        settings.kafka.bootstrap,
        now_ms=NOW_MS,
        speed=36_000,
        told=lambda so_far: seen.append(so_far.sent.total()),
    )
    assert done.sent[topic] == 5
    assert 0.4 <= done.seconds < 5
    assert seen == sorted(seen)


def test_a_stop_keeps_what_was_taken(settings: Settings, topic: str) -> None:
    lines = (SourceLine(topic, OLD_MS, b'{"shop":"s"}', None, n) for n in range(1_000_000))
    taken = []

    def counted() -> Iterator[Outgoing]:
        for record in compile_dating(settings, NOW_MS)(lines, "a.jsonl"):
            taken.append(record)
            yield record

    done = replay(
        counted(),
        settings.kafka.bootstrap,
        now_ms=NOW_MS,
        should_stop=lambda: len(taken) > 5_000,
    )
    assert done.stopped
    assert done.taken < 1_000_000
    ends = end_offsets(settings.kafka.bootstrap, [topic])
    assert sum(ends.values()) == done.taken == done.sent[topic]


@pytest.fixture(name="run")
def _run(settings: Settings, tmp_path: Path) -> Start:
    """Starts the command as a user does, in a folder with these settings."""
    source = settings.sources[0].topic
    (tmp_path / "streamwatch.yaml").write_text(
        f"kafka: {{bootstrap: '{settings.kafka.bootstrap}', partitions: 4}}\n"
        f"sources:\n  - {{topic: {source}, event: purchase, types: lenient, "
        "fields: {shop: Country, time: InvoiceDate}}\n"
    )

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", "from streamwatch.cli.main import main; main()", *arguments],
            cwd=tmp_path,
            env={k: v for k, v in os.environ.items() if not k.startswith("STREAMWATCH_")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


def test_a_foreign_csv_file_goes_to_kafka_by_its_routes(
    settings: Settings, topic: str, run: Start, tmp_path: Path
) -> None:
    (tmp_path / "shop.csv").write_text(
        "InvoiceNo,InvoiceDate,Country\n1,2010-12-01 08:26:00,France\n2,soon,\n"
    )
    (tmp_path / "routes.yaml").write_text(f"routes:\n  - {{topic: {topic}}}\nline_id: event_id\n")
    process = run("replay", "shop.csv", "--routes", "routes.yaml", "--json")
    answer, log = process.communicate(timeout=180)
    assert process.returncode == 0, log
    result = json.loads(answer)
    assert result["schema_version"] == 1
    assert (result["taken"], result["sent"]) == (2, {topic: 2})
    found = records_of(settings.kafka.bootstrap, topic)
    by_id = {json.loads(record.value)["event_id"]: record for record in found}
    assert set(by_id) == {"shop.csv:2", "shop.csv:3"}
    assert by_id["shop.csv:2"].key == b"France"
    assert {record.timestamp for record in found} == {OLD_MS}


def test_ctrl_c_ends_cleanly_and_says_how_far_it_came(
    settings: Settings, topic: str, run: Start
) -> None:
    process = run("replay", "-", "--topic", topic)
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(b'{"Country":"France"}\n')
    process.stdin.flush()
    deadline = time.monotonic() + 90
    # The record arrives although the pipe stays open: nothing waits for a full batch.
    while not sum(end_offsets(settings.kafka.bootstrap, [topic]).values()):
        assert time.monotonic() < deadline, "the record did not arrive in time"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert b"stopped after 1 records" in process.stderr.read()


def test_records_left_out_end_the_command_with_1(topic: str, run: Start, tmp_path: Path) -> None:
    big = msgspec.json.encode({"topic": topic, "arrived": OLD_MS, "value": "x" * 1_100_000})
    (tmp_path / "big.jsonl").write_bytes(big)
    process = run("replay", "big.jsonl")
    _, log = process.communicate(timeout=180)
    assert process.returncode == 1
    assert b"big.jsonl:1: left out: 1,100,1" in log
