"""Stock Faust: an agent that is given one event at a time."""

import asyncio
import logging
import os
import sys
import tempfile

import faust
import msgspec
import uvloop
from workload import State, Stopwatch, Widget, tally

bootstrap, topic, group, expected = sys.argv[1:5]
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
app = faust.App(
    group,
    broker=f"kafka://{bootstrap}",
    web_enabled=False,
    topic_allow_declare=False,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    datadir=tempfile.mkdtemp(),
)
state: State = {}
watch = Stopwatch(int(expected))
decode = msgspec.json.Decoder(Widget).decode


@app.agent(app.topic(topic, value_type=bytes, value_serializer="raw"))
async def counting(stream: faust.types.StreamT[bytes]) -> None:
    async for value in stream:
        tally(state, decode(value))
        if watch.add(1):
            watch.report(len(state))
            os._exit(0)


# Faust lets its client make a log record of every request and then drops it.
logging.getLogger("aiokafka").setLevel(logging.ERROR)
faust.Worker(app, loglevel="error", redirect_stdouts=False).execute_from_commandline()
