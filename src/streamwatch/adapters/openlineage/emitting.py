"""Lineage on its way: from committed flushes to whoever takes it, never in a flush's way."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from streamwatch.adapters.extras import needed
from streamwatch.adapters.openlineage.events import EXTRA, run_events
from streamwatch.domain.rows import Row, StageRow
from streamwatch.domain.settings import Settings
from streamwatch.runner.ports import Flush

logger = logging.getLogger(__name__)

MOST_WAITING = 1_000
STOP_S = 15.0
TIMEOUT_S = 10.0


def make_transport(to: str) -> Any:
    """What events are handed to: an address or a file.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    if to.startswith(("http://", "https://")):
        http = needed("openlineage.client.transport.http", EXTRA)
        return http.HttpTransport(http.HttpConfig(url=to, timeout=TIMEOUT_S))
    file = needed("openlineage.client.transport.file", EXTRA)
    return file.FileTransport(file.FileConfig(log_file_path=to, append=True))


class Lineage:
    """Takes flushes, and emits their events in a thread of its own until `stop`.

    What cannot be delivered is told and left: lineage is a description, not a record. When more
    waits than `MOST_WAITING` flushes, newer ones are left out.

    Args:
        settings: the configuration.
        transport: see `make_transport`.
        now: the wall clock.
    """

    def __init__(
        self,
        settings: Settings,
        transport: Any,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._now = now
        self._waiting: queue.Queue[tuple[str, Sequence[Row], datetime] | None] = queue.Queue(
            MOST_WAITING
        )
        self._thread = threading.Thread(target=self._run, name="lineage", daemon=True)
        self._thread.start()

    def committed(self, flush: Flush) -> None:
        """Take a flush that is in the database; returns at once."""
        if any(isinstance(row, StageRow) for row in flush.rows):
            name = f"{flush.partition} {flush.epoch}/{flush.fence_new}"
            try:
                self._waiting.put_nowait((name, flush.rows, self._now()))
            except queue.Full:
                logger.warning("lineage of a flush is left out: its receiver is too slow")

    def stop(self) -> None:
        """Emit what waits, and end."""
        self._waiting.put(None)
        self._thread.join(STOP_S)
        self._transport.close(STOP_S)

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            name, rows, now = waiting
            try:
                for event in run_events(self._settings, rows, name, now):
                    self._transport.emit(event)
            except Exception as error:  # noqa: BLE001  # whatever a transport raises
                logger.warning("lineage cannot be delivered: %s", type(error).__name__)


class LineageStore:
    """A store that tells lineage of each flush that it has committed.

    Args:
        store: the database.
        lineage: is told.
    """

    def __init__(self, store: Any, lineage: Lineage) -> None:
        self._store = store
        self._lineage = lineage

    def __getattr__(self, name: str) -> Any:
        """Whatever else the store has."""
        return getattr(self._store, name)

    def commit(self, flush: Flush) -> None:
        """Write a flush in one transaction, then tell of it."""
        self._store.commit(flush)
        self._lineage.committed(flush)
