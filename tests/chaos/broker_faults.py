"""Faults of the broker, of its topics, and of the network to it or to the database."""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient, NewPartitions
from tests.chaos.proxy import Mode, Proxy
from tests.chaos.scene import Scene, signal_all
from tests.chaos.worker_faults import Fault, worker_place


def network(to: str, mode: Mode) -> Fault:
    """The network between one worker and the broker or the database."""

    @contextmanager
    def fault(scene: Scene, rng: random.Random) -> Iterator[None]:
        doors: list[Proxy] = scene.broker_doors if to == "broker" else scene.database_doors
        door = doors[worker_place(scene, rng).number]
        door.set(mode)
        time.sleep(rng.uniform(0.5, 6 if to == "broker" else 3))
        yield
        door.set("pass")

    return fault


@contextmanager
def broker_restart(scene: Scene, rng: random.Random) -> Iterator[None]:
    """The broker is stopped and started."""
    scene.broker.stop()
    time.sleep(rng.uniform(0, 1))
    yield
    scene.broker = scene.start_broker()


@contextmanager
def broker_crash(scene: Scene, rng: random.Random) -> Iterator[None]:
    """SIGKILL to the broker."""
    assert scene.broker.pid is not None
    signal_all([scene.broker.pid], signal.SIGKILL)
    time.sleep(rng.uniform(0, 1))
    yield
    scene.broker = scene.start_broker()


@contextmanager
def broker_frozen(scene: Scene, rng: random.Random) -> Iterator[None]:
    """The broker is asleep."""
    assert scene.broker.pid is not None
    signal_all([scene.broker.pid], signal.SIGSTOP)
    time.sleep(rng.uniform(0.5, 6))
    yield
    signal_all([scene.broker.pid], signal.SIGCONT)


@contextmanager
def partitions_added(scene: Scene, rng: random.Random) -> Iterator[None]:
    """A source gets one more partition, up to six."""
    topic = scene.stage.topic(rng.choice(["widget-event", "purchase", "return"]))
    client = KafkaAdminClient(bootstrap_servers=scene.broker.bootstrap)
    try:
        now = len(client.describe_topics([topic])[0]["partitions"])
        if now < 6:
            client.create_partitions({topic: NewPartitions(now + 1)})
    finally:
        client.close()
    yield
