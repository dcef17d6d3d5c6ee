"""The demonstration on real Kafka: broker, worker, history, then the live part."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from streamwatch.adapters.kafka.outgoing import Outgoing
from streamwatch.adapters.kafka.replay import replay
from streamwatch.adapters.kafka.replayed import Replayed
from streamwatch.adapters.kafka.topics import committed_offsets, create_topics, end_offsets
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.demo.folder import note_worker
from streamwatch.domain.messages import READINGS_TOPIC, VERDICTS_TOPIC
from streamwatch.domain.settings import Settings
from streamwatch.errors import ServiceError
from streamwatch.simulation.simulate import SimulatedEvent

PATIENCE_S = 120.0
POLL_S = 0.25
LOG_LINES = 30

Told = Callable[[Replayed], None]


class Worker(msgspec.Struct, frozen=True):
    """A worker process of the demonstration."""

    process: subprocess.Popen[bytes]
    log_file: Path

    def check(self) -> None:
        """Whether it still runs.

        Raises:
            ServiceError: it ended; with the end of its log.
        """
        code = self.process.poll()
        if code is not None:
            tail = "\n".join(self.log_file.read_text().splitlines()[-LOG_LINES:])
            raise ServiceError(f"the worker ended with exit code {code}; {self.log_file}:\n{tail}")

    def stop(self) -> None:
        """End it as an operator would, by SIGTERM."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running_worker(folder: Path, settings_file: Path, labels_file: Path) -> Iterator[Worker]:
    """A worker in a process of its own, in the demonstration's folder, until the end."""
    log_file = folder / "worker.log"
    command = [
        sys.executable, "-m", "streamwatch", "worker",
        "--settings", settings_file.name, "--stage-bugs", labels_file.name,
    ]  # fmt: skip
    with log_file.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and our own words
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the demonstration, which then ends it
        )
    note_worker(folder, process.pid)
    worker = Worker(process, log_file)
    try:
        yield worker
    finally:
        worker.stop()


def _environment() -> dict[str, str]:
    """The environment without settings of a real installation, which would go over the file."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("STREAMWATCH_")
    }


def prepare_topics(settings_file: Path) -> Settings:
    """The settings, with the topics that they name."""
    settings = load_settings(settings_file, {})
    create_topics(settings)
    return settings


def send(
    events: Sequence[SimulatedEvent], bootstrap: str, speed: float | None, told: Told
) -> Replayed:
    """Send events into Kafka, as fast as it takes them or in accelerated time."""
    records = (
        Outgoing(one.topic, one.shop.encode(), one.value_bytes, one.arrived_ms, "demo", number)
        for number, one in enumerate(events, start=1)
    )
    return replay(records, bootstrap, now_ms=time.time_ns() // 1_000_000, speed=speed, told=told)


def wait_until_read(settings: Settings, worker: Worker, told: Callable[[int], None]) -> None:
    """Wait until the worker has committed all that is in the topics now, step after step.

    Raises:
        ServiceError: it ended, or does not get on.
    """
    sources = [source.topic for source in settings.sources]
    for topics in (sources, [READINGS_TOPIC], [VERDICTS_TOPIC]):
        ends = end_offsets(settings.kafka.bootstrap, topics)
        best, since = -1, time.monotonic()
        while True:
            worker.check()
            committed = committed_offsets(settings.kafka.bootstrap, settings.kafka.group)
            done = sum(min(committed.get(place, 0), end) for place, end in ends.items())
            if topics is sources:
                told(done)
            if done >= sum(ends.values()):
                break
            if done > best:
                best, since = done, time.monotonic()
            elif time.monotonic() - since > PATIENCE_S:
                raise ServiceError(
                    f"the worker stands still at {done:,} of {sum(ends.values()):,} records of "
                    f"{', '.join(topics)}; see {worker.log_file}"
                )
            time.sleep(POLL_S)
