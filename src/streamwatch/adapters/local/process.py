"""Processes that outlive the command that started them, found again by a note in their folder."""

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from streamwatch.errors import ServiceError

LOG_LINES_SHOWN = 40
_FIRST_PORT, _LAST_PORT = 20_000, 32_000


class Account(msgspec.Struct, frozen=True):
    """The unprivileged user that a server runs as when we are root."""

    name: str
    uid: int
    gid: int


class Note(msgspec.Struct, frozen=True):
    """What is written down about a started service.

    Attributes:
        port: where it listens on 127.0.0.1.
        pid: its process; ``None`` when Docker Compose carries it.
        birth: when that process started, as the system tells it: a number that was given to
            another process meanwhile is then never taken for ours.
        data: the folder with its data, where that is not the note's own folder.
    """

    port: int
    pid: int | None = None
    birth: str = ""
    data: str = ""


def read_note(file: Path) -> Note | None:
    """The note in a file, or ``None`` when there is none or it cannot be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Note)
    except (OSError, msgspec.MsgspecError):
        return None


def write_note(file: Path, note: Note) -> None:
    """Write a note so that a reader never sees half of it."""
    draft = file.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(note))
    draft.replace(file)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds a folder's lock, so that two commands do not start the same service at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def birth_of(pid: int) -> str | None:
    """When a process started, in the system's own words; ``None`` when it does not run."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that ended is not running any more
    status = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None


def runs(note: Note) -> bool:
    """Whether the process of a note is running, and is still the one that was started."""
    return note.pid is not None and birth_of(note.pid) == note.birth


def launch(
    command: Sequence[str],
    log: Path,
    *,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Start a process in a session of its own, its output appended to a log.

    Args:
        command: the program and its arguments.
        log: where its output goes.
        account: whom it runs as; needs root.
        environment: replaces the inherited one.

    Returns:
        Its pid and when it started.

    Raises:
        ServiceError: the program cannot be run or ended at once.
    """
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(  # noqa: S603
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
                env=None if environment is None else dict(environment),
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
            )
        except OSError as error:
            raise ServiceError(f"{command[0]} cannot be started: {error}") from error
    process.returncode = 0  # it is meant to outlive us, so no warning when this object goes
    birth = birth_of(process.pid)
    if birth is None:
        raise ServiceError(f"{command[0]} ended at once{tail(log)}")
    return process.pid, birth


def end(note: Note, *, first: signal.Signals = signal.SIGTERM, patience_s: float = 20.0) -> None:
    """End the process of a note: asked politely at first, then by force.

    Args:
        note: whose process.
        first: the signal that asks.
        patience_s: how long it may take before SIGKILL follows.

    Raises:
        ServiceError: it is still there after SIGKILL.
    """
    for sign, seconds in ((first, patience_s), (signal.SIGKILL, 10.0)):
        if note.pid is None or not runs(note):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(note.pid, sign)
        if wait_until(lambda: not runs(note), seconds):
            return
    raise ServiceError(f"process {note.pid} does not end; look at it with: ps -fp {note.pid}")


def wait_until(condition: Callable[[], bool], seconds: float, *, pause_s: float = 0.05) -> bool:
    """Ask again until a condition holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True


def tail(log: Path) -> str:
    """The end of a log, as the last part of an error message."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    if not lines:
        return f"; its log {log} is empty"
    shown = "\n".join(f"    {line}" for line in lines[-LOG_LINES_SHOWN:])
    return f"; the end of {log}:\n{shown}"


def listens(port: int) -> bool:
    """Whether anything takes connections on 127.0.0.1 at a port."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex(("127.0.0.1", port)) == 0


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1 at a port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port below those that the system gives to outgoing connections.

    A client that tries again and again to reach a server which is just restarting would
    otherwise be given the server's own port now and then, and keep it from coming back.
    """
    while True:
        port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT)
        if is_free(port):
            return port
