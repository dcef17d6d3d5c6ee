"""streamwatch itself: the whole path on SQLite, without a part of it, or with a tap.

Parts that can be left out: ``judging`` (COUNT only), ``database`` (a store in memory),
``segments`` (whole shops only). With a tap of all columns: ``sampling`` (1% of the events at every
stage), ``copying`` (all events after `decode`).
"""

import asyncio
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import faust
import uvloop
from prometheus_client import CollectorRegistry
from workload import Stopwatch

from streamwatch.adapters.assembly import assemble
from streamwatch.adapters.clock import WallClock
from streamwatch.adapters.kafka.run import make_ready
from streamwatch.adapters.kafka.topics import create_topics
from streamwatch.adapters.kafka.worker import Worker
from streamwatch.adapters.logs import logging_config
from streamwatch.adapters.prometheus.collector import WorkerMetrics, installed_build
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.messages import READINGS_TOPIC, VERDICTS_TOPIC
from streamwatch.domain.refusals import STAGES
from streamwatch.runner.memory import MemoryStore

bootstrap, topic, group, expected = sys.argv[1:5]
asked = set(sys.argv[5:])
folder = Path(tempfile.mkdtemp())
os.chdir(folder)
SETTINGS = f"""
database: sqlite:///bench.db
kafka: {{bootstrap: "{bootstrap}", group: "{group}", prefix: "{group}", partitions: 4}}
sources: [{{topic: "{topic}", event: widget-event}}]
metrics_port: 0
flush: {{slow: 10m}}  # no tap row is shed, however slow the machine
{"segments: []" if "segments" in asked else ""}
"""
Path("streamwatch.yaml").write_text(SETTINGS)
Path("tap_config").mkdir()
TAPS = {"sampling": f"after: [{', '.join(STAGES)}]\nsample: 1%\n", "copying": "after: [decode]\n"}
for name in asked & TAPS.keys():
    Path(f"tap_config/{name}.yaml").write_text(f"event: widget-event\n{TAPS[name]}")
assembly = assemble(Path("streamwatch.yaml"), {})
create_topics(assembly.settings)
engine = create_engine_for(assembly.settings.database)
upgrade(engine)
inner = (
    {}
    if "judging" in asked
    else {
        READINGS_TOPIC: assembly.judge,
        VERDICTS_TOPIC: assembly.fleet,
    }
)
make_ready()
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
worker = Worker(
    settings=assembly.settings,
    sources=assembly.sources,
    inner=inner,
    judges=4,
    store=MemoryStore() if "database" in asked else SqlStore(engine),
    clock=WallClock(),
    metrics=WorkerMetrics(CollectorRegistry(), installed_build()),
)
watch = Stopwatch(int(expected))


def watching() -> None:
    """Ends the process once every record is counted and JUDGE and FLEET have caught up."""
    seen = 0
    while True:
        time.sleep(0.05)
        owned = worker.owned.items()
        count = sum(runner.fence for tp, runner in owned if tp.topic == topic)
        taken = sum(runner.accounting.records_in for tp, runner in owned if tp.topic == topic)
        if taken > seen:
            watch.add(taken - seen)
            seen = taken
        behind = any(
            (worker.app.consumer.highwater(tp) or 0) - runner.fence - runner.unflushed > 40
            for tp, runner in owned
            if tp.topic != topic
        )
        if count >= int(expected) and not behind:
            watch.report(len(owned))
            os._exit(0)


threading.Thread(target=watching, daemon=True).start()
faust.Worker(
    worker.app, loglevel="error", logging_config=logging_config("error"), redirect_stdouts=False
).execute_from_commandline()
