"""A worker whose process dies or fails at a point of a flush, or whose clock is set.

Usage: ``python failing_worker.py POINT COUNT DEED CLOCK_FILE``. At the COUNT-th time that POINT
is reached the worker does DEED. The points are ``prepared``, ``committed`` and ``published`` of a
flush, ``loading`` of a partition's state, and ``fenced`` and ``writing`` within the transaction:
after the statement that moves the fence, and before the COUNT-th statement after it.
"""

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from streamwatch.adapters.clock import WallClock
from streamwatch.cli.worker import run
from streamwatch.errors import StreamwatchError


class SetClock(WallClock):
    """The wall clock, set by the milliseconds that a file holds."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now_ms(self) -> int:
        """The set time."""
        try:
            return super().now_ms() + int(self._file.read_text())
        except (OSError, ValueError):
            return super().now_ms()


class Failpoint:
    """Does a deed at the so many-th passing of a point."""

    def __init__(self, point: str, count: int, deed: str) -> None:
        self._point = point
        self._count = count
        self._deed = deed
        self._passed: Counter[str] = Counter()

    def reach(self, point: str) -> None:
        """A point is reached."""
        self._passed[point] += 1
        if point == self._point and self._passed[point] == self._count:
            if self._deed == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if self._deed == "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            if self._deed == "raise":
                raise RuntimeError(f"a bug at {point}")

    def watch_statements(self) -> None:
        """The statements of all transactions are points as well."""

        @event.listens_for(Engine, "after_cursor_execute")
        def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("UPDATE fences"):
                self.reach("fenced")
            elif statement.startswith("SELECT fences.next_offset"):
                self.reach("loading")
            elif not statement.startswith("SELECT"):
                self.reach("writing")


def main(point: str, count: str, deed: str, clock_file: str) -> None:
    """Run the worker."""
    failpoint = Failpoint(point, int(count), deed)
    failpoint.watch_statements()
    clock = SetClock(Path(clock_file))
    try:
        run(None, os.environ, "info", reach=failpoint.reach, clock=clock)
    except StreamwatchError as error:
        print(f"streamwatch: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(*sys.argv[1:])
