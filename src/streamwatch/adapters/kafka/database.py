"""The one thread in which the database is called, and whether the database answers."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mode.utils.logging import get_logger

from streamwatch.adapters.kafka.watchdog import Watchdog
from streamwatch.adapters.prometheus.collector import WorkerMetrics
from streamwatch.errors import DatabaseError

logger = get_logger(__name__)

RETRY_SECONDS = 1.0
"""Pause before the database is asked again after it did not answer."""

SILENT_SECONDS = 15.0
"""After so long without an answer the database is told to be away, though the call may end."""

_Answer = TypeVar("_Answer")


class DatabaseThread:
    """Calls the database, as often as it takes.

    Attributes:
        up: whether the database answered the last time.
        thread: where it is called.
    """

    def __init__(self, metrics: WorkerMetrics, watchdog: Watchdog) -> None:
        self._metrics = metrics
        self._watchdog = watchdog
        self.up = True
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def call(self, call: Callable[..., _Answer], *arguments: object) -> _Answer:
        """Call; while the database is away, wait and ask again.

        Nothing is taken in meanwhile, so consumption pauses and nothing is lost.
        """
        while True:
            try:
                answer = await self._once(call, *arguments)
            except DatabaseError as error:
                self._tell(up=False, why=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._tell(up=True)
                return answer

    async def _once(self, call: Callable[..., _Answer], *arguments: object) -> _Answer:
        """One call; a long silence is told, and waited for."""
        loop = asyncio.get_running_loop()
        with self._watchdog.during("a call of the database has lasted"):
            answer = loop.run_in_executor(self.thread, call, *arguments)
            done, _ = await asyncio.wait({answer}, timeout=SILENT_SECONDS)
            if not done:
                self._tell(up=False, why=f"no answer for {SILENT_SECONDS:.0f} s")
            return await answer

    def _tell(self, *, up: bool, why: str = "") -> None:
        if not up and self.up:
            logger.error("consumption pauses: %s", why)
        elif up and not self.up:
            logger.info("the database answers again; consumption goes on")
        self.up = up
        self._metrics.database_up(up)
