"""Bytewax: a dataflow that keeps its own state per shop."""

import os
import sys

import bytewax.operators as op
import msgspec
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink
from workload import Stopwatch, Widget, add

bootstrap, topic, _group, expected = sys.argv[1:5]
watch = Stopwatch(int(expected))
decode = msgspec.json.Decoder(Widget).decode
flow = Dataflow("bench")
source = kop.input("in", flow, brokers=[bootstrap], topics=[topic], batch_size=1_000)


def keyed(message: object) -> tuple[str, Widget]:
    event = decode(message.value)  # type: ignore[attr-defined]
    return event.shop, event


def counted(
    state: dict[str, list[float]] | None, event: Widget
) -> tuple[dict[str, list[float]] | None, int]:
    state = {} if state is None else state
    sums = state.setdefault(event.time[:13], [0.0] * 7)
    add(sums, event)
    if watch.add(1):
        watch.report(0)
        os._exit(0)
    return state, 1


stream = op.map("key", source.oks, keyed)
counts = op.stateful_map("count", stream, counted)
op.output("out", counts, TestingSink([]))

if __name__ == "__main__":
    from bytewax.testing import run_main

    run_main(flow)
