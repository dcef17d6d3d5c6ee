"""Services of one's own send what a stage of theirs made of an event."""

import json
import socket
from pathlib import Path

import pytest

from streamwatch.adapters.kafka.stage_producer import stage_producer
from streamwatch.client import tap
from streamwatch.errors import BrokerError

EVENT = {"event_id": "e-1", "shop": "shop-001", "height": 170.0, "shopper": "zz-jane"}


class Queue:
    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []

    def send(self, topic: str, value: bytes, key: bytes) -> None:
        self.sent.append((topic, value, key))


def test_an_event_goes_to_the_topic_of_its_stage_without_the_shopper() -> None:
    queue = Queue()
    tap("recommender", EVENT, producer=queue)
    tap("recommender", EVENT, producer=queue, topic="recommended-widgets")
    ((topic, value, key), (named, *_)) = queue.sent
    assert (topic, named, key) == (
        "streamwatch.stage.recommender",
        "recommended-widgets",
        b"shop-001",
    )
    assert json.loads(value) == {"event_id": "e-1", "shop": "shop-001", "height": 170.0}


@pytest.mark.parametrize("lacking", ["event_id", "shop"])
def test_an_event_that_nothing_can_be_joined_with_is_refused(lacking: str) -> None:
    queue = Queue()
    with pytest.raises(ValueError, match=f"the event has no `{lacking}`"):
        tap("recommender", {**EVENT, lacking: ""}, producer=queue)
    assert queue.sent == []


def test_a_service_without_a_producer_is_told_when_there_is_no_broker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMWATCH_KAFKA_BOOTSTRAP", f"127.0.0.1:{port}")
    with pytest.raises(BrokerError, match=f"127.0.0.1:{port}"):
        tap("recommender", EVENT)
    assert stage_producer.cache_info().currsize == 0
