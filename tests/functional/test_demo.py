"""`streamwatch demo` without a broker, and what it must never touch."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamwatch.adapters.local.process import Note, birth_of, runs, wait_until
from streamwatch.demo.folder import MARKER, claimed, note_worker
from streamwatch.demo.story import FAULTS
from streamwatch.errors import ServiceError


def demo(
    folder: Path, *arguments: str, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    own = {name: text for name, text in os.environ.items() if not name.startswith("STREAMWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "streamwatch", "demo", *arguments],
        cwd=folder,
        env=own if path is None else {**own, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_without_docker_and_java_all_faults_are_found_all_the_same(tmp_path: Path) -> None:
    """Takes about half a minute."""
    run = demo(tmp_path, "--no-stay", "--json", path=str(tmp_path / "nothing"))
    assert run.returncode == 0, run.stderr
    assert "No Kafka here. Kafka cannot be started: " in run.stderr
    assert "the same story runs through the embedded pipeline" in run.stderr
    answer = json.loads(run.stdout)
    assert answer["schema_version"] == 1
    assert answer["metrics"] is None
    injected = answer["faults"]
    assert [f"{one['fault']}@{one['shop']}" for one in injected] == [
        text.partition(":")[0] for text in FAULTS
    ]
    incidents = {one["id"]: one for one in answer["incidents"]}
    for one in injected:
        key = incidents[one["incident"]]["key"]
        assert (key["shop"], key["kpi"]) == (one["shop"], one["kpi"])
    assert len(incidents) <= 2 * len(injected)
    assert (tmp_path / answer["database"]).exists()
    assert {child.name for child in tmp_path.iterdir()} == {".local"}


def test_kafka_that_is_asked_for_and_not_to_be_had_is_a_failure(tmp_path: Path) -> None:
    run = demo(tmp_path, "--broker", path=str(tmp_path / "nothing"))
    assert run.returncode == 3
    assert run.stdout == ""
    assert run.stderr.startswith("streamwatch: Kafka cannot be started: ")
    assert "Start Docker, or install" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_demonstrations_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text("database: sqlite:///mine.db\n")
    (tmp_path / "mine.db").write_text("years of data")
    run = demo(tmp_path, "--no-broker", "--folder", ".")
    assert run.returncode == 2
    assert "is not empty and no demonstration's folder; name another one" in run.stderr
    assert (tmp_path / "mine.db").read_text() == "years of data"


def test_a_demonstrations_folder_is_emptied_and_nothing_beside_it(tmp_path: Path) -> None:
    folder, other = tmp_path / "demo", tmp_path / "other"
    other.mkdir()
    (other / "kept").write_text("")
    with claimed(folder):
        (folder / "old").mkdir()
        (folder / "old" / "file").write_text("")
        (folder / "link").symlink_to(other)
    with claimed(folder):
        assert [child.name for child in folder.iterdir()] == [MARKER]
    assert (other / "kept").exists()


def test_two_demonstrations_do_not_share_a_folder(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    with (tmp_path / "demo" / MARKER).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with (
            pytest.raises(ServiceError, match=r"runs in .* already: stop it"),
            claimed(tmp_path / "demo"),
        ):
            pass
    with claimed(tmp_path / "demo"):
        assert (tmp_path / "demo").is_dir()


def test_the_worker_of_a_demonstration_that_was_killed_is_ended_by_the_next(
    tmp_path: Path,
) -> None:
    with claimed(tmp_path / "demo"):
        left = subprocess.Popen(["sleep", "600"], start_new_session=True)
        note = Note(port=0, pid=left.pid, birth=birth_of(left.pid) or "")
        note_worker(tmp_path / "demo", left.pid)
    with claimed(tmp_path / "demo"):
        assert wait_until(lambda: not runs(note), 10)
    left.wait()
