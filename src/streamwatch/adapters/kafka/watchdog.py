"""Whether a worker still moves: what has lasted longer than it may is named at /-/healthy."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOP = "the event loop has stood still"
"""A stage, a judge or a fleet step that does not come back."""


class Watchdog:
    """Notes when things began that have to end; asked from the threads of the HTTP server.

    A service that is away is nothing of the kind: each question to it ends, by an answer or by
    an error, and another one follows.

    Args:
        limit_s: seconds after which something is taken to hang.
        monotonic: the clock, seconds.

    >>> seconds = iter([5.0, 5.0, 90.0])
    >>> dog = Watchdog(60, lambda: next(seconds))
    >>> dog.turned()
    >>> dog.stuck(), dog.stuck()
    (None, 'the event loop has stood still for 85 s')
    """

    def __init__(self, limit_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._begun: dict[str, float] = {}

    def turned(self) -> None:
        """The event loop turns."""
        with self._lock:
            self._begun[LOOP] = self._monotonic()

    @contextmanager
    def during(self, what: str) -> Iterator[None]:
        """Something that has to end; ``what`` is read as in "… has lasted"."""
        with self._lock:
            self._begun[what] = self._monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._begun.pop(what, None)

    def stuck(self) -> str | None:
        """What hangs, in words; ``None`` when all moves."""
        now = self._monotonic()
        with self._lock:
            begun = dict(self._begun)
        for what, since in begun.items():
            if now - since > self._limit_s:
                return f"{what} for {now - since:.0f} s"
        return None
