"""A worker that tells how far it is, for `scaling_kafka`: it shares group and database with others.

    python benchmarks/scaling_worker.py BOOTSTRAP TOPIC GROUP DATABASE

A line of JSON every 100 ms: moment, processor seconds, resident bytes, and for every source
partition that it owns how far that is read.
"""

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import faust
import uvloop
from prometheus_client import CollectorRegistry
from scaling_points import resident

from streamwatch.adapters.assembly import assemble
from streamwatch.adapters.clock import WallClock
from streamwatch.adapters.kafka.run import make_ready
from streamwatch.adapters.kafka.worker import Worker
from streamwatch.adapters.logs import logging_config
from streamwatch.adapters.prometheus.collector import WorkerMetrics, installed_build
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.messages import READINGS_TOPIC, VERDICTS_TOPIC

SETTINGS = """\
database: {database}
kafka: {{bootstrap: "{bootstrap}", group: "{group}", prefix: "{group}", partitions: 4,
         session_timeout: 6s}}
sources: [{{topic: "{topic}", event: widget-event}}]
metrics_port: 0
"""
EVERY_S = 0.1


def told(worker: Worker, topic: str) -> None:
    """Tell how far it is, again and again."""
    while True:
        time.sleep(EVERY_S)
        owned = {
            tp.partition: runner.fence + runner.unflushed
            for tp, runner in worker.owned.items()
            if tp.topic == topic
        }
        line = {
            "at": time.monotonic(),
            "cpu": time.process_time(),
            "resident": resident(),
            "owned": owned,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Run until killed."""
    bootstrap, topic, group, database = sys.argv[1:5]
    os.chdir(tempfile.mkdtemp())
    Path("streamwatch.yaml").write_text(
        SETTINGS.format(bootstrap=bootstrap, topic=topic, group=group, database=database)
    )
    Path("tap_config").mkdir()
    assembly = assemble(Path("streamwatch.yaml"), {})
    make_ready()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    worker = Worker(
        settings=assembly.settings,
        sources=assembly.sources,
        inner={READINGS_TOPIC: assembly.judge, VERDICTS_TOPIC: assembly.fleet},
        judges=4,
        store=SqlStore(create_engine_for(assembly.settings.database)),
        clock=WallClock(),
        metrics=WorkerMetrics(CollectorRegistry(), installed_build()),
    )
    threading.Thread(target=told, args=(worker, topic), daemon=True).start()
    faust.Worker(
        worker.app, loglevel="error", logging_config=logging_config("error"), redirect_stdouts=False
    ).execute_from_commandline()


if __name__ == "__main__":
    main()
