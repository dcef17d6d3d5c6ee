"""The points of the curves that need a broker: workers, partitions on Kafka, and a take-over.

Every worker is a process of its own (`scaling_worker`); they share one group, one broker and one
PostgreSQL. What is told is of the time in which all of them read: from when each owns partitions
until the first has nothing left.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from kafka.admin import KafkaAdminClient, NewTopic
from scaling_worker import SETTINGS
from sqlalchemy import create_engine, text
from workload import events

from streamwatch.adapters.assembly import assemble
from streamwatch.adapters.kafka.outgoing import Outgoing
from streamwatch.adapters.kafka.replay import replay
from streamwatch.adapters.kafka.topics import create_topics
from streamwatch.adapters.local.kafka import start_kafka
from streamwatch.adapters.local.postgres import start_postgres
from streamwatch.adapters.sql.migrations import upgrade

HERE = Path(__file__).parent
FOLDER = Path(".local/scaling")
PATIENCE_S = 150
HOURS = 1.5
SHOPS = 200
PARTITIONS = 8

Figures = dict[str, Any]


class Line(msgspec.Struct):
    """What a worker tells."""

    at: float
    cpu: float
    resident: int
    owned: dict[int, int]


class Process:
    """A worker process and the lines that it told so far."""

    def __init__(self, *arguments: str) -> None:
        folder = Path(tempfile.mkdtemp())
        self._told = folder / "told.jsonl"
        self._errors = (folder / "errors.txt").open("wb")
        command = [sys.executable, str(HERE / "scaling_worker.py"), *arguments]
        with self._told.open("wb") as told:
            self.process = subprocess.Popen(command, stdout=told, stderr=self._errors)

    @property
    def lines(self) -> list[Line]:
        """All whole lines."""
        whole = self._told.read_bytes().rpartition(b"\n")[0].splitlines()
        told = [line for line in whole if line.startswith(b'{"at"')]
        return [msgspec.json.decode(line, type=Line) for line in told]

    def end(self) -> None:
        """Kill it; its state is in the database."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._errors.close()


class Services:
    """One broker and one PostgreSQL, and topics that are filled once."""

    def __init__(self, bootstrap: str, database: str) -> None:
        self.bootstrap = bootstrap
        self.database = database
        self._topics: dict[tuple[int, int], str] = {}

    def topic(self, count: int, partitions: int) -> str:
        """A topic with so many events, keyed by shop."""
        asked = (count, partitions)
        if asked not in self._topics:
            self._topics[asked] = f"scaling-{uuid.uuid4().hex[:8]}"
            self._fill(self._topics[asked], count, partitions)
        return self._topics[asked]

    def _fill(self, topic: str, count: int, partitions: int) -> None:
        client = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        kept = {"retention.ms": "-1", "message.timestamp.type": "CreateTime"}
        client.create_topics([NewTopic(topic, partitions, 1, topic_configs=kept)])
        while topic not in client.list_topics():
            time.sleep(0.1)
        client.close()

        def records() -> Iterator[Outgoing]:
            for number, (at, shop, value) in enumerate(events(count, HOURS, SHOPS)):
                yield Outgoing(topic, shop.encode(), value, at, "scaling", number)

        replay(records(), self.bootstrap, now_ms=2**53)

    @contextmanager
    def workers(self, number: int, topic: str) -> Iterator[list[Process]]:
        """So many workers of a new group with a database of its own, while the block lasts."""
        group = f"g{uuid.uuid4().hex[:10]}"
        database = self._new_database(group)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "streamwatch.yaml"
            place.write_text(
                SETTINGS.format(
                    bootstrap=self.bootstrap, topic=topic, group=group, database=database
                )
            )
            create_topics(assemble(place, {}).settings)
        arguments = (self.bootstrap, topic, group, database)
        started = [Process(*arguments) for _ in range(number)]
        try:
            yield started
        finally:
            for one in started:
                one.end()

    def _new_database(self, name: str) -> str:
        engine = create_engine(self.database, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        url = self.database.rpartition("/")[0] + f"/{name}"
        upgrade(url)
        return url


@contextmanager
def services() -> Iterator[Services]:
    """Both started, and removed in the end."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        broker = start_kafka(FOLDER, jars=FOLDER.parent / "jars")
        stack.callback(broker.remove)
        postgres = start_postgres(FOLDER)
        stack.callback(postgres.remove)
        yield Services(broker.bootstrap, postgres.url)


def until(said: str, true: Callable[[], bool], started: list[Process]) -> None:
    """Wait until it is true.

    Raises:
        TimeoutError: it takes too long, or a worker ended.
    """
    patience = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > patience:
            raise TimeoutError(said)
        if all(one.process.poll() is not None for one in started):
            raise TimeoutError(f"{said}: no worker lives")
        time.sleep(0.1)


def read(started: list[Process]) -> int:
    """Records that were read so far, by whoever was farthest in a partition."""
    farthest: dict[int, int] = {}
    for one in started:
        for line in one.lines[-1:]:
            for partition, offset in line.owned.items():
                farthest[partition] = max(offset, farthest.get(partition, 0))
    return sum(farthest.values())


def of_workers(number: int, count: int = 600_000) -> Callable[[Services], Figures]:
    """So many workers on `PARTITIONS` partitions."""

    def measured(on: Services) -> Figures:
        with on.workers(number, on.topic(count, PARTITIONS)) as started:
            until("all is read", lambda: read(started) >= count, started)
            return {"workers": number} | together([one.lines for one in started], count)

    return measured


def of_partitions(partitions: int, count: int = 100_000) -> Callable[[Services], Figures]:
    """One worker on so many partitions."""

    def measured(on: Services) -> Figures:
        with on.workers(1, on.topic(count, partitions)) as started:
            until("all is read", lambda: read(started) >= count, started)
            return {"partitions": partitions} | together([one.lines for one in started], count)

    return measured


def of_take_over(number: int, count: int = 400_000) -> Callable[[Services], Figures]:
    """One of so many workers is killed in the middle; seconds until all is read on."""

    def measured(on: Services) -> Figures:
        with on.workers(number, on.topic(count, PARTITIONS)) as started:
            until(
                "every worker reads",
                lambda: (
                    all(one.lines and one.lines[-1].owned for one in started)
                    and read(started) > count / 10
                ),
                started,
            )
            killed, *left = started
            held = killed.lines[-1].owned
            killed.end()
            gone = time.monotonic()
            until(
                "its partitions are read on",
                lambda: (
                    all(any(p in one.lines[-1].owned for one in left) for p in held)
                    or read(left) >= count
                ),
                left,
            )
            assigned = time.monotonic() - gone
            until("it is where it was", lambda: _is_past(left, held), left)
            return {
                "workers": number,
                "partitions taken over": len(held),
                "session timeout s": 6,
                "assigned after s": round(assigned, 1),
                "as far as it was after s": round(time.monotonic() - gone, 1),
            }

    return measured


def _is_past(left: list[Process], held: dict[int, int]) -> bool:
    now: dict[int, int] = {}
    for one in left:
        now |= one.lines[-1].owned
    return all(now.get(partition, -1) >= offset for partition, offset in held.items())


def together(told: list[list[Line]], count: int) -> Figures:
    """Rates of the time in which all read."""
    begins = max(next(line.at for line in lines if sum(line.owned.values())) for lines in told)
    ends = min(_finished(lines) for lines in told)
    spans = [[line for line in lines if begins <= line.at <= ends] for lines in told]
    if not all(spans):
        return {"events": count, "of which all read": 0}
    done = [sum(span[-1].owned.values()) - sum(span[0].owned.values()) for span in spans]
    spent = [span[-1].cpu - span[0].cpu for span in spans]
    wall = max(span[-1].at for span in spans) - min(span[0].at for span in spans)
    return {
        "events": count,
        "of which all read": sum(done),
        "seconds of it": round(wall, 2),
        "events a second": round(sum(done) / wall),
        "events a CPU second": round(sum(done) / sum(spent)),
        "CPU of each": [round(one / wall, 2) for one in spent],
        "resident MB of each": [round(lines[-1].resident / 1e6) for lines in told],
        "load": round(os.getloadavg()[0], 1),
    }


def _finished(lines: list[Line]) -> float:
    """When a worker read its last record."""
    last = sum(lines[-1].owned.values())
    return next(line.at for line in lines if sum(line.owned.values()) >= last)
