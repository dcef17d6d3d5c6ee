"""Kafka that demands TLS and a password, or a certificate; and a user with its rights only."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.request import urlopen

import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)
from tests.integration.stage import wait_for
from tests.security.conftest import SECRET_OF, SecureBroker

from streamwatch.adapters.kafka.outgoing import Outgoing
from streamwatch.adapters.kafka.replay import replay
from streamwatch.adapters.kafka.topics import create_topics, needed_topics
from streamwatch.adapters.local.process import free_port
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.domain.settings import Settings

SETTINGS = """\
database: sqlite:///{folder}/streamwatch.db
kafka: {{bootstrap: "{bootstrap}", group: streamwatch, prefix: streamwatch, partitions: 2}}
sources: [{{topic: purchase, event: purchase}}]
flush: {{interval: 100ms}}
"""
SECRET = SECRET_OF % "streamwatch"
RIGHTS = re.compile(r"^\| (topic|group) \| (.+?) \| ([A-Za-z, ]+) \|$", re.MULTILINE)


def written_rights(document: Path) -> list[tuple[str, str, list[str]]]:
    """The rights as the documentation's table has them: kind, name, operations."""
    rows = []
    for kind, name, operations in RIGHTS.findall(document.read_text()):
        plain = name.strip("`").replace("<source>", "purchase")
        named = "purchase" if plain.startswith("your sources") else plain
        rows.append((kind, named, [_upper(one) for one in operations.split(", ")]))
    return rows


def _upper(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


class Guarded:
    """Topics and rights on the guarded broker, and commands that log in there."""

    def __init__(self, folder: Path, broker: SecureBroker, document: Path) -> None:
        self.folder = folder
        self.broker = broker
        (folder / "streamwatch.yaml").write_text(
            SETTINGS.format(folder=folder, bootstrap=broker.operator)
        )
        (folder / "tap_config").mkdir()
        self.settings: Settings = load_settings(folder / "streamwatch.yaml", {})
        create_topics(self.settings)
        upgrade(self.settings.database)
        self.rights = written_rights(document)
        self.password = folder / "password"
        self.password.write_text(SECRET + "\n")

    def grant(self, principal: str) -> None:
        """Grant a user what the documentation says."""
        client = KafkaAdminClient(bootstrap_servers=self.broker.operator)
        try:
            client.create_acls(
                [
                    ACL(
                        principal,
                        "*",
                        ACLOperation[operation],
                        ACLPermissionType.ALLOW,
                        ResourcePattern(ResourceType[kind.upper()], name),
                    )
                    for kind, name, operations in self.rights
                    for operation in operations
                ]
            )
        finally:
            client.close()

    def environment(self, **more: str) -> dict[str, str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith("STREAMWATCH_")}
        secure = {
            "STREAMWATCH_KAFKA_BOOTSTRAP": self.broker.sasl,
            "STREAMWATCH_KAFKA_TLS": "true",
            "STREAMWATCH_KAFKA_CA_FILE": str(self.broker.authority.certificate),
            "STREAMWATCH_KAFKA_SASL": "PLAIN",
            "STREAMWATCH_KAFKA_USER": "streamwatch",
            "STREAMWATCH_KAFKA_PASSWORD_FILE": str(self.password),
        }
        return {key: value for key, value in {**own, **secure, **more}.items() if value}

    def run(self, arguments: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "streamwatch", *arguments],
            cwd=self.folder,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )


@pytest.fixture
def guarded(tmp_path: Path, secure_broker: SecureBroker, pytestconfig: pytest.Config) -> Guarded:
    made = Guarded(tmp_path, secure_broker, pytestconfig.rootpath / "docs" / "security.md")
    made.grant("User:streamwatch")
    return made


def send(guarded: Guarded, count: int) -> None:
    now = time.time_ns() // 1_000_000
    records = []
    for number in range(count):
        value = json.dumps({"event_id": f"e-{number}", "shop": "s", "time": now}).encode()
        records.append(Outgoing("purchase", b"s", value, now, "test", number))
    records.append(Outgoing("purchase", b"s", b"no json", now, "test", count))
    replay(iter(records), guarded.broker.operator, now_ms=now)


def test_the_documented_rights_are_found(guarded: Guarded) -> None:
    assert {name for _, name, _ in guarded.rights} == {
        *needed_topics(guarded.settings),
        "streamwatch",
    }


def test_a_worker_with_the_documented_rights_does_its_work_and_tells_no_secret(
    guarded: Guarded,
) -> None:
    port = free_port()
    log = guarded.folder / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamwatch", "worker", "--log-level", "debug"],
            cwd=guarded.folder,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=guarded.environment(STREAMWATCH_METRICS_PORT=str(port)),
        )
    engine = create_engine_for(guarded.settings.database)
    try:
        send(guarded, 50)

        def counted() -> bool:
            assert process.poll() is None, log.read_text()[-3_000:]
            with engine.connect() as connection:
                found = connection.exec_driver_sql(
                    "SELECT sum(aggregated), sum(dead_lettered) FROM accounting"
                ).one()
            return found[0] is not None and found[0] >= 50 and found[1] >= 1

        wait_for(counted, "the records are counted", 60)
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            metrics = answer.read().decode()
        command_line = Path(f"/proc/{process.pid}/cmdline")
        told = command_line.read_text() if command_line.exists() else ""
    finally:
        process.terminate()
        assert process.wait(15) == 0, log.read_text()[-3_000:]
        engine.dispose()
    assert SECRET not in log.read_text() + metrics + told


@pytest.mark.parametrize("command", [("topics", "check"), ("config", "show")])
def test_commands_work_over_tls_and_tell_no_secret(
    guarded: Guarded, command: tuple[str, ...]
) -> None:
    done = guarded.run(command)
    assert done.returncode in (0, 1), done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_certificate_is_enough_where_the_broker_asks_for_one(guarded: Guarded) -> None:
    certificate, key = guarded.broker.authority.issue("streamwatch-client")
    guarded.grant("User:CN=streamwatch-client")
    done = guarded.run(
        ["topics", "check"],
        STREAMWATCH_KAFKA_BOOTSTRAP=guarded.broker.mutual,
        STREAMWATCH_KAFKA_SASL="",
        STREAMWATCH_KAFKA_CERTIFICATE_FILE=str(certificate),
        STREAMWATCH_KAFKA_KEY_FILE=str(key),
    )
    assert done.returncode in (0, 1), done.stderr
    assert "purchase" in done.stdout or "All topics" in done.stdout


Wrong = Callable[[Guarded], dict[str, str]]


def wrong_password(guarded: Guarded) -> dict[str, str]:
    file = guarded.folder / "wrong"
    file.write_text("wrong-secret")
    return {"STREAMWATCH_KAFKA_PASSWORD_FILE": str(file)}


def no_rights(guarded: Guarded) -> dict[str, str]:
    file = guarded.folder / "stranger"
    file.write_text(SECRET_OF % "stranger")
    return {
        "STREAMWATCH_KAFKA_USER": "stranger",
        "STREAMWATCH_KAFKA_PASSWORD_FILE": str(file),
    }


def unknown_authority(_: Guarded) -> dict[str, str]:
    return {"STREAMWATCH_KAFKA_CA_FILE": ""}


def no_tls_port(guarded: Guarded) -> dict[str, str]:
    return {"STREAMWATCH_KAFKA_BOOTSTRAP": guarded.broker.operator}


def missing_file(_: Guarded) -> dict[str, str]:
    return {"STREAMWATCH_KAFKA_PASSWORD_FILE": "/nowhere/password"}


@pytest.mark.parametrize(
    ("wrong", "code", "told"),
    [
        (wrong_password, 3, "or it refuses the user streamwatch (PLAIN)"),
        (no_rights, 3, "missing topics"),
        (unknown_authority, 3, "is not trusted"),
        (no_tls_port, 3, "does not speak TLS"),
        (missing_file, 2, "kafka.password_file: /nowhere/password cannot be used"),
    ],
)
def test_who_is_refused_is_told_why_in_one_sentence_without_secrets(
    guarded: Guarded, wrong: Wrong, code: int, told: str
) -> None:
    done = guarded.run(["worker"], **wrong(guarded))
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for secret in (SECRET, "wrong-secret", SECRET_OF % "stranger"):
        assert secret not in done.stderr
