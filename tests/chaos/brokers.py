"""Brokers for faults: one whose workers come in through proxies, or three of them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from streamwatch.adapters.local.kafka import LocalKafka, start_kafka
from streamwatch.adapters.local.process import free_port

QUICK = {
    "group.min.session.timeout.ms": "1000",
    "controlled.shutdown.enable": "true",
    "log.cleaner.backoff.ms": "500",
    "log.retention.check.interval.ms": "1000",
}


def proxied_settings(port: int, doors: Sequence[tuple[int, int]]) -> dict[str, str]:
    """Settings of a broker with a listener for each door.

    Args:
        port: where tests connect.
        doors: of each listener: where it listens, and the proxy's port that it tells clients.
    """
    controller = free_port()
    names = [f"DOOR{number}" for number in range(len(doors))]
    listens = [f"{name}://127.0.0.1:{inner}" for name, (inner, _) in zip(names, doors, strict=True)]
    tells = [f"{name}://127.0.0.1:{outer}" for name, (_, outer) in zip(names, doors, strict=True)]
    own = f"PLAINTEXT://127.0.0.1:{port}"
    return {
        **QUICK,
        "listeners": ",".join([own, f"CONTROLLER://127.0.0.1:{controller}", *listens]),
        "advertised.listeners": ",".join([own, *tells]),
        "listener.security.protocol.map": ",".join(
            f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *names)
        ),
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
    }


class Cluster:
    """Three brokers, each a controller as well; replicated three times, two must have it."""

    def __init__(self, folder: Path, jars: Path) -> None:
        self._folder = folder
        self._jars = jars
        self._ports = [free_port() for _ in range(3)]
        self._controllers = [free_port() for _ in range(3)]
        with ThreadPoolExecutor(3) as together:
            self.brokers: list[LocalKafka] = list(together.map(self.start, range(3)))

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self._ports)

    def start(self, number: int) -> LocalKafka:
        """Start a broker, or start it again."""
        voters = [f"{n + 1}@127.0.0.1:{port}" for n, port in enumerate(self._controllers)]
        return start_kafka(
            self._folder / f"broker-{number}",
            port=self._ports[number],
            jars=self._jars,
            native=True,
            properties={
                **QUICK,
                "node.id": str(number + 1),
                "controller.quorum.voters": ",".join(voters),
                "listeners": f"PLAINTEXT://127.0.0.1:{self._ports[number]},"
                f"CONTROLLER://127.0.0.1:{self._controllers[number]}",
                "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self._ports[number]}",
                "default.replication.factor": "3",
                "min.insync.replicas": "2",
                "offsets.topic.replication.factor": "3",
                "transaction.state.log.replication.factor": "3",
                "transaction.state.log.min.isr": "2",
                "broker.session.timeout.ms": "3000",
            },
        )

    def remove(self) -> None:
        for broker in self.brokers:
            broker.remove()


@contextmanager
def three_brokers(folder: Path, jars: Path) -> Iterator[Cluster]:
    """A cluster for the time of a test."""
    cluster = Cluster(folder, jars)
    try:
        yield cluster
    finally:
        cluster.remove()
