"""The demonstration without a broker: the same story through the embedded pipeline."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Engine

from streamwatch.adapters.assembly import assemble
from streamwatch.adapters.clock import WallClock
from streamwatch.adapters.embedded import EmbeddedPipeline
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.adapters.prepared_store import prepared_store
from streamwatch.simulation.simulate import SimulatedEvent


def run_offline(
    events: Sequence[SimulatedEvent],
    settings_file: Path,
    labels_file: Path,
    engine: Engine,
    told: Callable[[int], None],
) -> None:
    """Take the events through COUNT, JUDGE and FLEET in this process."""
    assembly = assemble(settings_file, {}, labels_file)
    pipeline = EmbeddedPipeline(
        sources=assembly.sources,
        judge=assembly.judge,
        fleet=assembly.fleet,
        store=prepared_store(assembly, engine)[0],
        clock=WallClock(),
        file_id=f"demo-{os.getpid()}",
    )
    pipeline.feed(_lines(events, told))
    pipeline.finish()


def _lines(events: Sequence[SimulatedEvent], told: Callable[[int], None]) -> Iterator[SourceLine]:
    for number, one in enumerate(events, start=1):
        if number % 5_000 == 0:
            told(number)
        yield SourceLine(one.topic, one.arrived_ms, one.value_bytes, one.shop.encode(), number)
