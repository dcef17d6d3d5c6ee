"""Words on incidents reach the judge of their shop and FLEET, over a real broker."""

from collections.abc import Callable

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from streamwatch.adapters.kafka.acknowledged import publish_acknowledgements
from streamwatch.adapters.kafka.replay import partition_of
from streamwatch.adapters.local.process import free_port
from streamwatch.domain.messages import Acknowledge
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.settings import KafkaSettings
from streamwatch.errors import BrokerError
from streamwatch.steps.judgeinput import read_input

PARTITIONS = 5


def words(count: int) -> list[Acknowledge]:
    return [
        Acknowledge(
            f"incident-{number}", "expected", KpiKey(f"shop-{number}", "purchase", "volume"),
            1, 2, 3.0, 4.0, -5.0, 6,
        )
        for number in range(count)
    ]  # fmt: skip


def read(kafka: str, topic: str, partitions: int, wanted: int) -> list[tuple[int, bytes]]:
    consumer = KafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    try:
        consumer.assign([TopicPartition(topic, one) for one in range(partitions)])
        found: list[tuple[int, bytes]] = []
        while len(found) < wanted:
            batch = consumer.poll(timeout_ms=20_000)
            assert batch, f"only {len(found)} of {wanted} arrived"
            found += [(one.partition, one.value) for many in batch.values() for one in many]
        return found
    finally:
        consumer.close()


def test_a_word_reaches_the_judge_of_its_shop_and_fleet(
    kafka: str, topic_name: Callable[[str], str]
) -> None:
    prefix = topic_name("words")
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    names = ((f"{prefix}.readings", PARTITIONS), (f"{prefix}.verdicts", 1))
    admin.create_topics([NewTopic(name, count, 1) for name, count in names])
    admin.close()
    sent = words(9)
    publish_acknowledgements(KafkaSettings(bootstrap=kafka, prefix=prefix), sent)

    judged = {}
    for partition, value in read(kafka, f"{prefix}.readings", PARTITIONS, len(sent)):
        message = read_input(value)
        assert isinstance(message, Acknowledge)
        assert partition == partition_of(message.key.shop.encode(), PARTITIONS)
        judged[message.incident_id] = message
    assert judged == {one.incident_id: one for one in sent}
    told = [value for _, value in read(kafka, f"{prefix}.verdicts", 1, len(sent))]
    assert [msgspec.json.decode(value, type=Acknowledge) for value in told] == sent


def test_a_broker_that_is_away_is_said_at_once() -> None:
    nobody = KafkaSettings(bootstrap=f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerError, match="does not answer"):
        publish_acknowledgements(nobody, words(1))
