"""Where Docker, Java or Maven are missing, old or silent; with scripts in their place."""

from pathlib import Path

import pytest

from streamwatch.adapters.local import java
from streamwatch.adapters.local.compose import start_service, stop_service, why_no_engine
from streamwatch.adapters.local.kafka import kafka_available, known_kafka, start_kafka
from streamwatch.errors import ServiceError


class Machine:
    """A machine that has only the commands that a test puts on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, name: str, script: str) -> None:
        file = self.folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "_PLACES", ())
    return Machine(folder)


JAVA_17 = """echo 'openjdk version "17.0.15" 2025-04-15' >&2"""
JAVA_11 = """echo 'openjdk version "11.0.2" 2019-01-15' >&2"""


def test_a_machine_with_nothing_is_told_what_to_install(machine: Machine, tmp_path: Path) -> None:
    assert machine.folder.exists()
    reason = kafka_available(tmp_path / "jars")
    assert reason is not None
    for part in ("no docker command", "no java command", "no mvn command", "apt-get", "brew"):
        assert part in reason


def test_java_and_maven_are_enough(machine: Machine, tmp_path: Path) -> None:
    machine.has("java", JAVA_17)
    machine.has("mvn", "exit 0")
    assert kafka_available(tmp_path / "jars") is None


def test_maven_is_not_needed_once_the_jars_are_there(machine: Machine, tmp_path: Path) -> None:
    machine.has("java", JAVA_17)
    machine.has("mvn", "exit 0")
    told: list[str] = []
    java.fetch_jars(tmp_path / "jars", told.append)
    assert told == ["fetching Apache Kafka with Maven (once)"]
    (machine.folder / "mvn").unlink()
    java.fetch_jars(tmp_path / "jars", told.append)
    assert kafka_available(tmp_path / "jars") is None


def test_an_old_java_is_named_with_its_version(machine: Machine, tmp_path: Path) -> None:
    machine.has("java", JAVA_11)
    machine.has("mvn", "exit 0")
    reason = kafka_available(tmp_path / "jars")
    assert reason is not None
    assert "is version 11, Kafka needs 17 or newer" in reason
    with pytest.raises(ServiceError, match="is version 11"):
        start_kafka(tmp_path)


def test_what_maven_said_is_shown_when_it_fails(machine: Machine, tmp_path: Path) -> None:
    machine.has("java", JAVA_17)
    machine.has("mvn", "echo '[ERROR] no route to the repository'; exit 1")
    with pytest.raises(ServiceError, match="no route to the repository"):
        start_kafka(tmp_path)


def test_the_log_is_shown_when_the_broker_ends_while_it_starts(
    machine: Machine, tmp_path: Path
) -> None:
    machine.has(
        "java",
        f'case "$*" in *-version*) {JAVA_17};; *StorageTool*) ;; '
        "*) echo 'out of room'; exit 1;; esac",
    )
    machine.has("mvn", "exit 0")
    with pytest.raises(ServiceError, match="out of room"):
        start_kafka(tmp_path)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "no Docker engine answers"),
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 0", "no Docker engine answers"),
        ("[ $1 = info ] && echo 28.0 || exit 1", "the docker command has no compose plugin"),
    ],
)
def test_a_docker_command_alone_is_no_engine(machine: Machine, script: str, reason: str) -> None:
    machine.has("docker", script)
    assert why_no_engine() == reason


def test_compose_gets_the_port_and_the_settings(machine: Machine, tmp_path: Path) -> None:
    said = tmp_path / "said"
    machine.has("docker", f'echo "$STREAMWATCH_KAFKA_PORT $*" >> {said}')
    start_service("kafka", tmp_path, 29092, {"KAFKA_NUM_PARTITIONS": "3"})
    stop_service("kafka", tmp_path, 29092)
    up, stop = said.read_text().splitlines()
    assert up.startswith("29092 compose --project-name streamwatch-kafka-")
    assert "docker-compose.yml" in up
    assert up.endswith("up --detach --wait --wait-timeout 180 kafka")
    assert stop.endswith("stop kafka")
    assert "KAFKA_NUM_PARTITIONS" in (tmp_path / "compose.override.json").read_text()


def test_what_compose_and_the_service_said_is_shown(machine: Machine, tmp_path: Path) -> None:
    machine.has(
        "docker",
        "case \"$*\" in *' up '*) echo 'unhealthy' >&2; exit 1;; *logs*) echo 'disk full';; esac",
    )
    with pytest.raises(ServiceError, match=r"(?s)unhealthy.*disk full"):
        start_service("kafka", tmp_path, 29092)


def test_a_folder_where_nothing_was_started_knows_no_broker(tmp_path: Path) -> None:
    assert known_kafka(tmp_path) is None
