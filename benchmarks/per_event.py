"""What one event costs in COUNT, part by part, beside a bare msgspec decode in the same run.

    PYTHONPATH=src python benchmarks/per_event.py [--events 60000] [--rounds 7] [--out FOLDER]

The pure path alone: no broker, no database. A part's figure is processor time for each event; of
several rounds, in which all parts run one after the other, the best counts, since others may use
the machine too. What to go by is the ratio to the bare decode: it hardly depends on the machine.

Three workloads of the same events: ``dense``, some hundred events for each shop and hour at a
flush; ``sparse``, some ten, where a flush costs more than the events; and ``refused``, dense, with
every tenth event refused by a stage. Written as JSON and Markdown where ``--out`` says.
"""

import argparse
import gc
import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from machine import described, in_words

from streamwatch.domain.events import ReceivedWidgetEvent
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.settings import Settings
from streamwatch.stages.aggregate import aggregate
from streamwatch.stages.underway import Underway
from streamwatch.steps.count import CountStep
from streamwatch.steps.countstate import CountState
from streamwatch.steps.source import Source
from streamwatch.steps.sources import compile_sources

SLICE, FLUSH = 2_000, 10_000
START_MS = 1_788_220_800_000
WORKLOADS = {"dense": (200, 1_000_000), "sparse": (2_000, 1_000_000), "refused": (200, 1_000_000)}
"""Workload → shops, and events an hour of all shops together."""


def made(count: int, shops: int, an_hour: int, *, refused: bool, seed: int) -> list[FileRecord]:
    """Widget events as most clients write them."""
    rng = random.Random(seed)
    records = []
    for number in range(count):
        at = START_MS + number * 3_600_000 // an_hour
        wrong = refused and number % 10 == 0
        event = {
            "event_id": f"event-{number:09d}", "shop": f"shop-{rng.randrange(shops):04d}",
            "time": datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds"),
            "shopper": f"u{rng.randrange(50_000)}", "product": f"p-{rng.randrange(900)}",
            "category": rng.choice(("shirts", "trousers", "dresses", "jackets", "shoes")),
            "gender": "female" if rng.random() < 0.6 else "male",
            "height": round(rng.gauss(170, 9), 1), "height_unit": "span" if wrong else "cm",
            "weight": round(rng.gauss(70, 12), 1), "weight_unit": "kg",
            "age": rng.randrange(16, 80), "recommended_size": rng.choice("SML"),
            "fit_preference": "regular", "app_version": "4.2.0",
        }  # fmt: skip
        records.append(FileRecord(number, msgspec.json.encode(event), at, b"key"))
    return records


class Parts:
    """One workload, and what it takes part by part."""

    def __init__(self, records: list[FileRecord]) -> None:
        self.records = records
        self.source: Source = compile_sources(Settings(), (), lambda _: UTC, b"k" * 32)[
            "widget-event"
        ]
        self.seconds: dict[str, float] = {}

    def run(self) -> None:
        """One round of all parts."""
        bare = msgspec.json.Decoder(ReceivedWidgetEvent).decode
        self._time("bare msgspec decode", lambda: [None for r in self.records if not bare(r.value)])
        source, decode = self.source, self.source.decode
        self._time("decode", lambda: [None for r in self.records if not decode(r.value)])
        self._stages()
        step, event_type, labels = CountStep(self.source, 0), source.event_type, source.labels
        state = step.restore({})
        flush = dict.fromkeys(("all stages, noting", "sums", "merge and encode"), 0.0)
        for begin in range(0, len(self.records), FLUSH):
            taken = self.records[begin : begin + FLUSH]
            noting = seconds_of(lambda: process(step, state, taken))  # noqa: B023
            batch = state.batch
            sums = seconds_of(lambda: aggregate(batch, event_type, labels))  # noqa: B023
            settling = seconds_of(lambda: step.settle(state, FLUSH, 0, 0))
            # Settling sums as well: what was summed before was thrown away.
            for name, seconds in zip(flush, (noting, sums, settling - sums), strict=True):
                flush[name] += seconds
        for name, seconds in flush.items():
            self._keep(name, seconds)
        self._keep("COUNT, whole", sum(flush.values()))

    def _stages(self) -> None:
        """Each stage on all records that came so far."""
        source = self.source
        underway = []
        for record in self.records:
            event = source.decode(record.value)
            assert isinstance(event, ReceivedWidgetEvent)
            one = Underway({}).set_out(event, source.declared(event), record.timestamp + 1)
            one.named = False
            underway.append(one)
        self._time("declared", lambda: [None for one in underway if not source.declared(one.event)])
        for name, stage in source.stages:
            passed: list[Underway] = []

            def through(stage: Callable[[Underway], object] = stage) -> None:
                passed.extend([one for one in underway if stage(one) is None])  # noqa: B023

            self._time(name, through)
            underway = passed

    def _time(self, name: str, call: Callable[[], object]) -> None:
        self._keep(name, seconds_of(call))

    def _keep(self, name: str, seconds: float) -> None:
        self.seconds[name] = min(seconds, self.seconds.get(name, seconds))


def process(step: CountStep, state: CountState, records: list[FileRecord]) -> None:
    """Take records in, slice by slice."""
    for begin in range(0, len(records), SLICE):
        step.process(state, Slice("widget-event", 0, records[begin : begin + SLICE]), 0)


def seconds_of(call: Callable[[], object]) -> float:
    """Processor time of a call; what earlier ones left is collected before it."""
    gc.collect()
    begun = time.process_time()
    call()
    return time.process_time() - begun


def table(found: dict[str, dict[str, float]], count: int) -> str:
    """Markdown: a row for each part, a column for each workload."""
    names = list(next(iter(found.values())))
    head = "| part | " + " | ".join(f"{name}: µs | of bare" for name in found) + " |"
    lines = [head, "|---" * (1 + 2 * len(found)) + "|"]
    for name in names:
        cells = []
        for parts in found.values():
            cells.append(f"{parts[name] / count * 1e6:.2f}")
            cells.append(f"{parts[name] / parts['bare msgspec decode']:.1f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    workloads = {
        name: Parts(made(asked.events, *sizes, refused=name == "refused", seed=asked.seed))
        for name, sizes in WORKLOADS.items()
    }
    for _ in range(asked.rounds):
        for parts in workloads.values():
            parts.run()
    found = {name: parts.seconds for name, parts in workloads.items()}
    text = table(found, asked.events)
    sys.stdout.write(text)
    if asked.out is None:
        return
    machine = described()
    asked.out.mkdir(parents=True, exist_ok=True)
    answer = {"machine": machine, "seed": asked.seed, "events": asked.events, "seconds": found}
    (asked.out / "per_event.json").write_text(json.dumps(answer, indent=2) + "\n")
    head = f"`{machine['command']}`\n\n{in_words(machine)}\n\n"
    (asked.out / "per_event.md").write_text(head + text)


if __name__ == "__main__":
    main()
