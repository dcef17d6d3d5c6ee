"""A worker that cannot start says why in one sentence, and leaves nothing half started."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamwatch.adapters.sql.migrations import upgrade

NOBODY = "127.0.0.1:1"
PATIENCE_S = 15.0


def worker(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = {name: text for name, text in os.environ.items() if not name.startswith("STREAMWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "streamwatch", "worker", *arguments],
        cwd=folder,
        env={**own, "STREAMWATCH_KAFKA_BOOTSTRAP": NOBODY},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def said(run: subprocess.CompletedProcess[str]) -> str:
    """The one line that it says."""
    assert run.stdout == ""
    lines = run.stderr.splitlines()
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("streamwatch: ")
    return lines[0].removeprefix("streamwatch: ")


@pytest.fixture(name="silent_host")
def _silent_host() -> Iterator[str]:
    """An address that takes connections and never answers, as a broker that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_without_a_broker_it_says_so_at_once(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path}/streamwatch.db")
    begun = time.monotonic()
    run = worker(tmp_path)
    assert run.returncode == 3
    assert said(run) == (
        f"Kafka at {NOBODY} does not answer: start it, or set STREAMWATCH_KAFKA_BOOTSTRAP"
    )
    assert time.monotonic() - begun < PATIENCE_S


def test_a_broker_that_hangs_is_not_waited_for_for_ever(tmp_path: Path, silent_host: str) -> None:
    upgrade(f"sqlite:///{tmp_path}/streamwatch.db")
    settings = tmp_path / "hangs.yaml"
    settings.write_text(f'kafka: {{bootstrap: "{silent_host}"}}\n')
    own = {name: text for name, text in os.environ.items() if not name.startswith("STREAMWATCH_")}
    begun = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-m", "streamwatch", "worker", "--settings", settings.name],
        cwd=tmp_path,
        env=own,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert run.returncode == 3
    assert said(run).startswith(f"Kafka at {silent_host} does not answer: start it")
    assert time.monotonic() - begun < PATIENCE_S


def test_a_database_that_is_not_migrated_is_told_with_the_command(tmp_path: Path) -> None:
    run = worker(tmp_path)
    assert run.returncode == 3
    assert said(run).endswith("; run: streamwatch db upgrade")


def test_a_folder_that_is_missing_is_told_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text("database: sqlite:///none/streamwatch.db\n")
    run = worker(tmp_path)
    assert run.returncode == 3
    assert said(run) == (
        "the folder of the database sqlite:///none/streamwatch.db does not exist; "
        f"create it: mkdir -p {tmp_path}/none"
    )
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("streamwatch.yaml", "kafka:\n  grup: a\n", ":2:3: unknown key `grup`"),
        ("streamwatch.yaml", "judging: {threshold: high}\n", ":1:22: "),
        ("tap_config/t.yaml", "event: purchase\nafter: [decode]\ncolumns: [heigth]\n", ":3:11: "),
        ("tap_config/t.yaml", "event: purchase\n", ":1:1: "),
    ],
)
def test_a_wrong_file_is_named_with_its_line_and_nothing_starts(
    tmp_path: Path, name: str, body: str, message: str
) -> None:
    (tmp_path / "tap_config").mkdir()
    (tmp_path / name).write_text(body)
    run = worker(tmp_path)
    assert run.returncode == 2
    assert said(run).startswith(f"{name}{message}")
    assert not (tmp_path / "streamwatch.db").exists()


def test_labels_that_are_none_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("a,b\n")
    run = worker(tmp_path, "--stage-bugs", "labels.csv")
    assert run.returncode == 2
    assert said(run).startswith("labels.csv:1: the columns must be ")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    key = tmp_path / ".streamwatch.key"
    key.write_text("00" * 32)
    key.chmod(0o644)
    run = worker(tmp_path)
    assert run.returncode == 2
    assert said(run).startswith(".streamwatch.key:1: others may read the key; run: chmod 600")
