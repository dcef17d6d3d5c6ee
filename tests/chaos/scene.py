"""A scene for faults: a broker and a database behind proxies, and three supervised workers."""

import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url
from tests.chaos.brokers import proxied_settings
from tests.chaos.proxy import Proxy
from tests.chaos.small_disk import small_disk
from tests.chaos.supervised import Slot, Supervisor
from tests.integration.stage import Stage, wait_for
from tests.integration.truth import Record

from streamwatch.adapters.local.kafka import LocalKafka, start_kafka
from streamwatch.adapters.local.postgres import LocalPostgres, start_postgres
from streamwatch.adapters.local.process import free_port
from streamwatch.domain.messages import READINGS_TOPIC, VERDICTS_TOPIC, prefixed

WORKERS = 3

HANGING_STAGE = """\
import time
from pathlib import Path

FLAG = Path(__file__).with_name("hang")


def step(event, occurred):
    while FLAG.exists():
        time.sleep(0.05)
    return event
"""

MORE_SETTINGS = """\
stuck_after: 10s
horizon: 40d
stages:
  - {name: own, step: "hanging:step", after: normalise}
"""


class Scene:
    """All that faults act on.

    Attributes:
        disk: where the tables lie, if one could be made.
        stage: topics, database and the tests' own connections, which no fault touches.
        slots: the workers' places.
        broker_doors, database_doors: each worker's own proxy to the broker and the database.
    """

    def __init__(self, folder: Path, jars: Path, name: str) -> None:
        self.folder = folder
        self._jars = jars
        self._broker_port = free_port()
        inner = [free_port() for _ in range(WORKERS)]
        outer = [free_port() for _ in range(WORKERS)]
        self._broker_settings = proxied_settings(
            self._broker_port, list(zip(inner, outer, strict=True))
        )
        self.broker: LocalKafka = self.start_broker()
        self.database: LocalPostgres = self.start_database()
        self.disk = small_disk() if self.database.pid is not None else None
        if self.disk is not None:
            self.admin(f"CREATE TABLESPACE small LOCATION '{self.disk.folder}'")
            self.admin("ALTER DATABASE postgres SET default_tablespace = small")
        self.broker_doors = [Proxy(*ports) for ports in zip(outer, inner, strict=True)]
        url = make_url(self.database.url)
        assert url.port is not None
        self.database_doors = [Proxy(free_port(), url.port) for _ in range(WORKERS)]
        self.stage = Stage(folder, name, self.broker.bootstrap, self.database.url)
        self.copy_settings(folder)
        self.sent: list[Record] = []
        self.slots = [
            Slot(
                folder,
                number,
                {
                    "STREAMWATCH_KAFKA_BOOTSTRAP": f"127.0.0.1:{outer[number]}",
                    "STREAMWATCH_DATABASE": url.set(
                        port=self.database_doors[number].port
                    ).render_as_string(hide_password=False),
                },
            )
            for number in range(WORKERS)
        ]
        self.supervisor = Supervisor(self.slots)

    @staticmethod
    def copy_settings(folder: Path) -> None:
        """Add what the scene needs to a stage's settings."""
        file = folder / "streamwatch.yaml"
        text = file.read_text().replace("session_timeout: 6s", "session_timeout: 3s")
        file.write_text(text + MORE_SETTINGS)
        (folder / "hanging.py").write_text(HANGING_STAGE)

    def start_broker(self) -> LocalKafka:
        """Start the broker, or start it again with its topics."""
        return start_kafka(
            self.folder,
            port=self._broker_port,
            jars=self._jars,
            properties=self._broker_settings,
            native=True,
        )

    def start_database(self) -> LocalPostgres:
        """Start the database, or start it again with its data."""
        return start_postgres(self.folder)

    def send(self, records: Sequence[Record]) -> None:
        """Send records and remember them."""
        self.stage.send(records)
        self.sent += records

    def admin(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the database's owner, outside of a transaction."""
        url = make_url(self.database.url).set(drivername="postgresql")
        address = url.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def caught_up(self) -> bool:
        """Whether the database includes all that was sent."""
        return self.stage.passed() == len(self.sent)

    def wait_until_caught_up(self, seconds: float = 300.0) -> float:
        """Wait for that; returns how long it took."""
        begun = time.monotonic()
        wait_for(self.caught_up, f"{len(self.sent)} records, at {self.stage.passed()}", seconds)
        return time.monotonic() - begun

    def wait_until_ready(self) -> None:
        """Until some worker has partitions."""
        wait_for(lambda: any(slot.asks("/-/ready") == 200 for slot in self.slots), "a worker")

    def wait_until_committed(self) -> None:
        """Until Kafka's committed offsets are the ends of all that is read."""
        stage = self.stage
        inner = [prefixed(topic, stage.name) for topic in (READINGS_TOPIC, VERDICTS_TOPIC)]
        for topics in (stage.source_topics, inner[:1], inner[1:]):
            ends = stage.ends(topics)

            def done(ends: dict[tuple[str, int], int] = ends) -> bool:
                committed = stage.committed()
                return all(committed.get(place, 0) >= end for place, end in ends.items())

            wait_for(done, f"commits of {topics}")

    def database_pids(self) -> list[int]:
        """The processes of the database."""
        assert self.database.pid is not None
        children = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and _parent(int(entry.name)) == self.database.pid
        ]
        return [self.database.pid, *children]

    def close(self) -> None:
        """End everything."""
        self.supervisor.close()
        for proxy in (*self.broker_doors, *self.database_doors):
            proxy.close()
        self.stage.engine.dispose()
        for pid in self.database_pids():
            _signal(pid, signal.SIGCONT)
        self.database.remove()
        if self.disk is not None:
            self.disk.close()
        self.broker.remove()


def _parent(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1])


def _signal(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return


def signal_all(pids: Sequence[int], sign: signal.Signals) -> None:
    """A signal to each process that still runs."""
    for pid in pids:
        _signal(pid, sign)


@contextmanager
def scene_in(folder: Path, jars: Path, name: str) -> Iterator[Scene]:
    """A scene for the time of a test; the workers' logs are shown where it fails."""
    scene = Scene(folder, jars, name)
    try:
        yield scene
    except BaseException:
        for slot in scene.slots:
            if slot.log.exists():
                print(f"--- {slot.log} {slot.exits}\n{slot.log.read_text()[-5_000:]}")  # noqa: T201
        raise
    finally:
        scene.close()


def pick(rng: random.Random, low: float, high: float) -> float:
    """A duration in seconds."""
    return rng.uniform(low, high)
