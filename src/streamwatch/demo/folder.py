"""The demonstration's own folder: emptied at the start, held by one demonstration at a time."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from streamwatch.adapters.local.kafka import known_kafka
from streamwatch.adapters.local.process import Note, birth_of, end, read_note, write_note
from streamwatch.errors import ConfigurationError, ServiceError

MARKER = ".streamwatch-demo"
"""Only a folder with this file in it is ever emptied."""

_WORKER_NOTE = "worker.json"


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold the folder; what an earlier demonstration left in it is ended and removed.

    Raises:
        ConfigurationError: the folder holds something else.
        ServiceError: another demonstration runs in it.
    """
    marker = folder / MARKER
    if folder.exists() and not marker.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            f"{folder}: is not empty and no demonstration's folder; name another one: --folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with marker.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ServiceError(
                f"a demonstration runs in {folder} already: stop it with Ctrl-C, or name "
                "another folder: --folder"
            ) from error
        _end_what_is_left(folder)
        _empty(folder)
        yield


def note_worker(folder: Path, pid: int) -> None:
    """Write down the worker's process, so that a demonstration that was killed can be tidied."""
    birth = birth_of(pid)
    if birth is not None:
        write_note(folder / _WORKER_NOTE, Note(port=0, pid=pid, birth=birth))


def _end_what_is_left(folder: Path) -> None:
    """End the services of a demonstration that could not do it itself."""
    worker = read_note(folder / _WORKER_NOTE)
    if worker is not None:
        end(worker)
    broker = known_kafka(folder)
    if broker is not None:
        broker.stop()


def _empty(folder: Path) -> None:
    for child in folder.iterdir():
        if child.name == MARKER:
            continue
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
