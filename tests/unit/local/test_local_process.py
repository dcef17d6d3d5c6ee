import signal
import sys
from pathlib import Path

import pytest

from streamwatch.adapters.local.process import (
    LOG_LINES_SHOWN,
    Note,
    birth_of,
    end,
    free_port,
    is_free,
    launch,
    read_note,
    runs,
    tail,
    wait_until,
    write_note,
)
from streamwatch.errors import ServiceError

SLEEPER = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("awake", flush=True)
time.sleep(60)
""",
]


def started(command: list[str], log: Path) -> Note:
    pid, birth = launch(command, log)
    assert wait_until(lambda: "awake" in log.read_text(), 20)
    return Note(port=0, pid=pid, birth=birth)


def test_a_process_runs_until_it_is_ended(tmp_path: Path) -> None:
    note = started(SLEEPER, tmp_path / "log")
    assert runs(note)
    end(note)
    assert not runs(note)


def test_a_process_that_does_not_listen_is_ended_by_force(tmp_path: Path) -> None:
    note = started(DEAF, tmp_path / "log")
    end(note, patience_s=0.2)
    assert not runs(note)


def test_a_process_that_was_given_the_same_number_later_is_left_alone(tmp_path: Path) -> None:
    ours = started(SLEEPER, tmp_path / "log")
    try:
        older = Note(port=0, pid=ours.pid, birth="the day before")
        assert not runs(older)
        end(older)
        assert runs(ours)
    finally:
        end(ours, first=signal.SIGKILL)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="no-such-program cannot be started"):
        launch(["no-such-program"], tmp_path / "log")


def test_a_process_that_ended_has_no_birth(tmp_path: Path) -> None:
    pid, _ = launch([sys.executable, "-c", "pass"], tmp_path / "log")
    assert wait_until(lambda: birth_of(pid) is None, 20)


def test_a_note_is_read_back_and_a_damaged_one_counts_as_none(tmp_path: Path) -> None:
    file = tmp_path / "kafka.json"
    assert read_note(file) is None
    note = Note(port=29092, pid=12, birth="34", data="/data")
    write_note(file, note)
    assert read_note(file) == note
    file.write_text('{"port": 29')
    assert read_note(file) is None


def test_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    assert "is empty" in tail(log)
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    shown = [line.strip() for line in tail(log).splitlines()[1:]]
    assert shown == [f"line {number}" for number in range(100 - LOG_LINES_SHOWN, 100)]


def test_a_free_port_lies_below_those_of_outgoing_connections() -> None:
    port = free_port()
    assert 20_000 <= port < 32_000
    assert is_free(port)
