"""Quix Streams: a streaming data frame that updates its own keyed state."""

import os
import sys
import tempfile

import msgspec
from quixstreams import Application, State
from workload import Stopwatch, Widget, add

bootstrap, topic_name, group, expected = sys.argv[1:5]
watch = Stopwatch(int(expected))
decode = msgspec.json.Decoder(Widget).decode
application = Application(
    broker_address=bootstrap,
    consumer_group=group,
    auto_offset_reset="earliest",
    state_dir=tempfile.mkdtemp(),
    use_changelog_topics=False,
    loglevel="ERROR",
)
topic = application.topic(topic_name, value_deserializer="bytes", key_deserializer="bytes")


def counted(value: bytes, state: State) -> bytes:
    """The job, in the key's own state: messages are keyed by shop."""
    event = decode(value)
    key = event.time[:13]
    sums = state.get(key) or [0.0] * 7
    add(sums, event)
    state.set(key, sums)
    if watch.add(1):
        watch.report(0)
        os._exit(0)
    return value


application.dataframe(topic).apply(counted, stateful=True)
application.run()
