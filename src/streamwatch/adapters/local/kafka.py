"""One Kafka broker on this machine: by Docker Compose, otherwise Apache Kafka on the JDK."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from streamwatch.adapters.local import compose, java
from streamwatch.adapters.local.probe import live_brokers
from streamwatch.adapters.local.process import Note, alone, free_port, is_free, launch, runs
from streamwatch.adapters.local.service import Service
from streamwatch.errors import ServiceError

_CLUSTER = "c3RyZWFtd2F0Y2gtbG9jYQ"
_START_S = 120.0
_JVM = (
    "-Xms96m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
)
_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "auto.create.topics.enable": "false",
}
_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n
"""


_KAFKA = Service("kafka", "Kafka", lambda port: live_brokers(port) > 0)


def _silent(_: str) -> None:
    """Tell nobody."""


class LocalKafka(msgspec.Struct, frozen=True):
    """A broker that runs on this machine.

    Attributes:
        bootstrap: its address, ``127.0.0.1:port``.
        pid: its process; ``None`` when Docker Compose carries it.
        log_file: what it printed; not written when Docker Compose carries it.
        folder: its folder, with the note by which it is found again.
    """

    bootstrap: str
    pid: int | None
    log_file: Path
    folder: Path

    def stop(self) -> None:
        """End the broker; its topics stay, and ``start_kafka`` brings them back.

        Raises:
            ServiceError: it does not end.
        """
        _KAFKA.stop(self.folder)

    def remove(self) -> None:
        """End the broker and delete its topics.

        Raises:
            ServiceError: it does not end.
        """
        _KAFKA.remove(self.folder)


def kafka_available(jars: Path = Path(".local/jars")) -> str | None:
    """Why Kafka cannot be started here, or ``None`` when it can.

    Args:
        jars: where `start_kafka` keeps Kafka's jars; once they are there, Maven is not needed.
    """
    no_engine = compose.why_no_engine()
    if no_engine is None:
        return None
    no_java = java.find_java()[1]
    missing = [reason for reason in (no_java, java.why_no_jars(jars)) if reason]
    if not missing:
        return None
    return (
        f"Kafka cannot be started: {', '.join([no_engine, *missing])}. Start Docker, or install "
        f"a JDK of version {java.OLDEST_JAVA} or newer and Maven (Debian: apt-get install "
        "openjdk-17-jdk-headless maven; macOS: brew install openjdk maven)"
    )


def running_kafka(folder: Path) -> LocalKafka | None:
    """The broker that was started in a folder, if it still answers."""
    home = _KAFKA.home(folder)
    note = _KAFKA.answering_note(home)
    return None if note is None else _described(home, note)


def known_kafka(folder: Path) -> LocalKafka | None:
    """The broker that was started in a folder, whether or not it answers."""
    home = _KAFKA.home(folder)
    note = _KAFKA.note(home)
    return None if note is None else _described(home, note)


def start_kafka(
    folder: Path,
    *,
    port: int | None = None,
    progress: Callable[[str], None] = _silent,
    properties: Mapping[str, str] | None = None,
    jars: Path | None = None,
    timeout_s: float = _START_S,
    native: bool = False,
) -> LocalKafka:
    """Start a broker, or take the one that already runs in the folder; waits until it answers.

    Args:
        folder: holds ``kafka/`` (settings, topics, log, note); made when missing.
        port: on 127.0.0.1; by default the one it had before, else a free one.
        progress: is told what happens, in short sentences.
        properties: broker settings that override those made here.
        jars: where Kafka's jars are kept; by default ``folder/jars``.
        timeout_s: how long the broker may take to answer.
        native: on the JDK even where there is a Docker engine: for listeners of one's own, or
            as one of several brokers.

    Raises:
        ServiceError: nothing here can run Kafka, or it does not answer: with its log.
    """
    home = _KAFKA.home(folder)
    with alone(home):
        running = running_kafka(folder)
        if running is not None:
            return running
        note = _KAFKA.note(home)
        if note is not None and runs(note):
            _KAFKA.end(note)  # it runs and does not answer
        chosen = port or (note.port if note and is_free(note.port) else free_port())
        if not native and compose.why_no_engine() is None:
            progress("starting Kafka with Docker Compose")
            variables = {_variable(key): value for key, value in (properties or {}).items()}
            return _described(home, _KAFKA.by_compose(home, chosen, timeout_s, variables))
        kept = jars or folder / "jars"
        reason = kafka_available(kept)
        program = java.find_java()[0]
        if reason is not None or program is None:
            raise ServiceError(reason or "there is no java command")
        java.fetch_jars(kept, progress)
        progress(f"starting Apache Kafka on 127.0.0.1:{chosen}")
        started = _run(home, chosen, program, java.class_path(kept), properties or {})
        _KAFKA.wait(home, started, timeout_s)
        return _described(home, started)


def _described(home: Path, note: Note) -> LocalKafka:
    return LocalKafka(
        bootstrap=f"127.0.0.1:{note.port}", pid=note.pid, log_file=_KAFKA.log(home), folder=home
    )


def _variable(key: str) -> str:
    """The container's variable for a broker setting, as the image reads it.

    >>> _variable("log.cleaner.dedupe.buffer.size")
    'KAFKA_LOG_CLEANER_DEDUPE_BUFFER_SIZE'
    """
    return "KAFKA_" + key.replace("_", "__").replace("-", "___").replace(".", "_").upper()


def _run(home: Path, port: int, program: Path, jars: str, properties: Mapping[str, str]) -> Note:
    """Write the settings, format the storage the first time, start the broker."""
    data = home / "data"
    controller = free_port()
    settings = {
        **_PROPERTIES,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "log.dirs": str(data),
        **properties,
    }
    file = home / "server.properties"
    file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    (home / "log4j2.properties").write_text(_LOGGING)
    logging = f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}"
    virtual_machine = [str(program), *_JVM, logging, "-cp", jars]
    if not (data / "meta.properties").exists():
        _format(virtual_machine, file)
    pid, birth = launch([*virtual_machine, "kafka.Kafka", str(file)], _KAFKA.log(home))
    note = Note(port=port, pid=pid, birth=birth)
    _KAFKA.write(home, note)
    return note


def _format(virtual_machine: list[str], file: Path) -> None:
    command = [*virtual_machine, "kafka.tools.StorageTool", "format"]
    command += ["-t", _CLUSTER, "-c", str(file), "--ignore-formatted"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode != 0:
        said = (answer.stdout + answer.stderr).strip()[-2000:]
        raise ServiceError(f"Kafka's storage {file.parent / 'data'} cannot be formatted: {said}")
