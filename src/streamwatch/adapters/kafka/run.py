"""Running a worker's Faust app in this process, on uvloop."""

import asyncio
import sys

import faust
import uvloop

from streamwatch.adapters.kafka.worker import Worker
from streamwatch.adapters.logs import logging_config


def run_worker(worker: Worker, log_level: str) -> None:
    """Run until SIGTERM or SIGINT; then flush, leave the group and exit."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    faust_worker = faust.Worker(
        worker.app,
        loglevel=log_level,
        logging_config=logging_config(log_level),
        redirect_stdouts=False,
        stdout=sys.stderr,
    )
    faust_worker.spinner = None
    faust_worker.execute_from_commandline()
