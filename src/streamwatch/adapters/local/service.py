"""What a broker and a database on this machine have in common: found by a note, started, ended."""

import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from streamwatch.adapters.local import compose
from streamwatch.adapters.local.process import (
    Note,
    end,
    read_note,
    runs,
    tail,
    wait_until,
    write_note,
)
from streamwatch.errors import ServiceError

NO_VARIABLES: Mapping[str, str] = {}


class Service(msgspec.Struct, frozen=True):
    """One kind of service; each that was started has a folder of its own.

    Attributes:
        name: of its folder, its note and its container.
        title: what people call it.
        answers: whether it answers at a port of 127.0.0.1.
        ended_by: the signal that asks it to end.
    """

    name: str
    title: str
    answers: Callable[[int], bool]
    ended_by: signal.Signals = signal.SIGTERM

    def home(self, folder: Path) -> Path:
        """The service's own folder below a folder for several."""
        return folder.resolve() / self.name

    def log(self, home: Path) -> Path:
        """What it printed."""
        return home / f"{self.name}.log"

    def note(self, home: Path) -> Note | None:
        """What is written down about the one that was started in a folder."""
        return read_note(home / f"{self.name}.json")

    def write(self, home: Path, note: Note) -> None:
        """Write down what was started."""
        write_note(home / f"{self.name}.json", note)

    def answering_note(self, home: Path) -> Note | None:
        """The note of the one that was started in a folder, if it still answers."""
        note = self.note(home)
        lives = note is not None and (note.pid is None or runs(note)) and self.answers(note.port)
        return note if lives else None

    def end(self, note: Note) -> None:
        """End its process.

        Raises:
            ServiceError: it does not end.
        """
        end(note, first=self.ended_by)

    def stop(self, home: Path) -> None:
        """End it; its data stay.

        Raises:
            ServiceError: it does not end.
        """
        note = self.note(home)
        if note is None:
            return
        if note.pid is None:
            compose.stop_service(self.name, home, note.port)
        else:
            self.end(note)

    def remove(self, home: Path) -> None:
        """End it and delete its data.

        Raises:
            ServiceError: it does not end.
        """
        note = self.note(home)
        if note is not None and note.pid is None:
            compose.remove_service(self.name, home, note.port)
        else:
            self.stop(home)
        if note is not None and note.data:
            shutil.rmtree(note.data, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)

    def by_compose(
        self,
        home: Path,
        port: int,
        timeout_s: float,
        variables: Mapping[str, str] = NO_VARIABLES,
    ) -> Note:
        """Start it with Docker Compose, and wait until it answers.

        Raises:
            ServiceError: it does not answer: with its log.
        """
        note = Note(port=port)
        self.write(home, note)
        compose.start_service(self.name, home, port, variables)
        if not wait_until(lambda: self.answers(port), timeout_s):
            log = compose.service_log(self.name, home, port)
            raise ServiceError(f"{self.title} does not answer on 127.0.0.1:{port}; its log:\n{log}")
        return note

    def wait(self, home: Path, note: Note, timeout_s: float) -> None:
        """Wait until the process that was started answers.

        Raises:
            ServiceError: it ended, or does not answer: with its log.
        """
        wait_until(lambda: self.answers(note.port) or not runs(note), timeout_s)
        log = tail(self.log(home))
        if not runs(note):
            raise ServiceError(f"{self.title} ended while it was starting{log}")
        if not self.answers(note.port):
            self.end(note)
            raise ServiceError(f"{self.title} did not answer within {timeout_s:.0f} s{log}")
