"""A stage for integration tests: topics, a database, a folder, and workers in processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from sqlalchemy import Engine, text

from streamwatch.adapters.kafka.outgoing import Outgoing
from streamwatch.adapters.kafka.replay import replay
from streamwatch.adapters.kafka.topics import committed_offsets, create_topics, end_offsets
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.domain.messages import READINGS_TOPIC, VERDICTS_TOPIC, prefixed
from streamwatch.domain.settings import Settings

SETTINGS = """\
database: {database}
kafka: {{bootstrap: "{bootstrap}", group: "{name}", prefix: "{name}", partitions: 3,
         session_timeout: 6s}}
sources:
  - {{topic: "{name}.widget-event", event: widget-event}}
  - {{topic: "{name}.purchase", event: purchase}}
  - {{topic: "{name}.return", event: return}}
flush: {{interval: 200ms, records: 5000}}
metrics_port: 0
"""

TAPS = {
    "widgets": (
        "event: widget-event\nafter: [decode, normalise, pseudonymise, segment]\n"
        "sample: 1\non_slow: hold\n"
    ),
    "purchases": "event: purchase\nafter: [normalise]\nsample: 25%\non_slow: hold\n",
}


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 180.0) -> None:
    """Wait until something holds; the test fails if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)


def wait_for_more_than(stage: "Stage", offsets: float) -> None:
    """Wait until the database includes more than so many offsets of the sources."""
    wait_for(lambda: stage.passed() > offsets, f"more than {offsets} offsets passed")


class Worker(msgspec.Struct, frozen=True):
    """A worker process."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def wait_until_ready(self) -> None:
        """Until it has its partitions and their state."""
        wait_for(lambda: "Worker ready" in self.log.read_text(), "the worker is ready")

    def terminate(self) -> int:
        """SIGTERM, as an operator stops it; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        """SIGKILL: no last words."""
        self.process.kill()
        self.process.wait(timeout=10)


class Stage:
    """Topics of its own, a database of its own, and workers on them."""

    def __init__(self, folder: Path, name: str, kafka: str, database: str) -> None:
        self.folder = folder
        self.name = name
        settings_file = folder / "streamwatch.yaml"
        settings_file.write_text(SETTINGS.format(database=database, bootstrap=kafka, name=name))
        (folder / "tap_config").mkdir()
        for tap, body in TAPS.items():
            (folder / "tap_config" / f"{tap}.yaml").write_text(body)
        self.settings: Settings = load_settings(settings_file, {})
        create_topics(self.settings)
        upgrade(database)
        self.engine: Engine = create_engine_for(database)
        self._workers: list[Worker] = []

    def start_worker(
        self,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        program: Sequence[str] = ("-m", "streamwatch", "worker", "--log-level", "info"),
    ) -> Worker:
        """One more worker."""
        log = self.folder / f"worker-{len(self._workers)}.log"
        own = {k: v for k, v in os.environ.items() if not k.startswith("STREAMWATCH_")}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *program, *arguments],
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**own, **(environment or {})},
            )
        worker = Worker(process, log)
        self._workers.append(worker)
        return worker

    @contextmanager
    def closing(self) -> Iterator["Stage"]:
        """End all workers and connections at the end; show their logs if the test failed."""
        try:
            yield self
        except BaseException:
            for worker in self._workers:
                print(f"--- {worker.log}\n" + worker.log.read_text()[-6_000:])  # noqa: T201
            raise
        finally:
            for worker in self._workers:
                if worker.runs:
                    worker.kill()
            self.engine.dispose()

    def topic(self, event_type: str) -> str:
        return f"{self.name}.{event_type}"

    @property
    def source_topics(self) -> list[str]:
        return [source.topic for source in self.settings.sources]

    def send(self, records: Sequence[tuple[str, int, bytes | None, bytes]]) -> None:
        """Send (event type, arrival ms, value, key) in this order."""
        outgoing = (
            Outgoing(self.topic(kind), key, value, arrived, "test", number)
            for number, (kind, arrived, value, key) in enumerate(records)
        )
        done = replay(outgoing, self.settings.kafka.bootstrap, now_ms=time.time_ns() // 1_000_000)
        assert sum(done.sent.values()) == len(records)

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        return end_offsets(self.settings.kafka.bootstrap, topics)

    def committed(self) -> dict[tuple[str, int], int]:
        return committed_offsets(self.settings.kafka.bootstrap, self.settings.kafka.group)

    def wait_until_read(self, seconds: float = 240.0) -> None:
        """Wait until Kafka's committed offsets are the ends of the sources, then of the rest."""
        inner = [prefixed(topic, self.name) for topic in (READINGS_TOPIC, VERDICTS_TOPIC)]
        for topics in (self.source_topics, inner[:1], inner[1:]):
            ends = self.ends(topics)

            def done(ends: dict[tuple[str, int], int] = ends) -> bool:
                assert any(worker.runs for worker in self._workers), "no worker runs"
                committed = self.committed()
                return all(committed.get(place, 0) >= end for place, end in ends.items())

            wait_for(done, f"{topics} read to {ends}, at {self.committed()}", seconds)

    def passed(self) -> int:
        """Offsets of the sources that the database includes."""
        found = self.rows("SELECT coalesce(sum(next_offset - first_offset), 0) FROM accounting")
        return int(str(found[0][0]))

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
