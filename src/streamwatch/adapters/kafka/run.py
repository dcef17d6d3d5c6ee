"""Running a worker's Faust app in this process, on uvloop."""

import asyncio
import logging
import sys
import threading

import faust
import uvloop

from streamwatch.adapters.kafka.collecting import collect_less_often
from streamwatch.adapters.kafka.ending import end
from streamwatch.adapters.kafka.fetched import make_light_records
from streamwatch.adapters.kafka.worker import Worker
from streamwatch.adapters.logs import logging_config

logger = logging.getLogger(__name__)

STOP_SECONDS = 9.0
"""How long a worker may take to write what it has and to leave the group."""


class _FaustWorker(faust.Worker):
    """Faust's worker, with an end to its stopping."""

    async def stop(self) -> None:
        """Stop; where a service is away or a step hangs, stop without it."""
        deadline = threading.Timer(STOP_SECONDS, _give_up)
        deadline.daemon = True
        deadline.start()
        await super().stop()


def _give_up() -> None:
    logger.critical(
        "the worker stops without having written all: the database or the broker did not answer "
        "within %.0f s; whoever takes the partitions reads it again",
        STOP_SECONDS,
    )
    end()


def make_ready() -> None:
    """Set this process up for many records a second."""
    make_light_records()
    collect_less_often()


def run_worker(worker: Worker, log_level: str) -> None:
    """Run until SIGTERM or SIGINT; then flush, leave the group and exit."""
    make_ready()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    faust_worker = _FaustWorker(
        worker.app,
        loglevel=log_level,
        logging_config=logging_config(log_level),
        redirect_stdouts=False,
        stdout=sys.stderr,
    )
    faust_worker.spinner = None
    faust_worker.execute_from_commandline()
