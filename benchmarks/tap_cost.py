"""What taps cost the whole path: COUNT, JUDGE and FLEET in one process, flushed into SQLite.

    PYTHONPATH=src python benchmarks/tap_cost.py [--events 60000] [--rounds 5] [--out FOLDER]

Told is processor time for each event, and the rate with taps as a share of the rate without. The
events of 200 shops come at 20,000 a second of their own arrival, to four partitions; each flush
writes state, taps and fence in one transaction. Every run begins with an empty database, and the
kinds run one after the other, round after round, so that what the machine does meanwhile hits all
alike. The best of the rounds is told for each kind, and the ratios' median over the rounds with
their spread. Event ids are random, as clients' ids mostly are, which is the dear case for indexes.
There is no broker: `throughput` has one.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from inprocess import Pipeline
from machine import described, in_words

from streamwatch.adapters.kafka.collecting import collect_less_often
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import RecorderSettings
from streamwatch.domain.tap_settings import Filter, TapSettings
from streamwatch.taps.recorder import Recorder

START_MS = 1_788_256_800_000
RATE, SHOPS, SEED = 20_000, 200, 1
WARM = 20_000
"""Events of each run that are not measured: its statements are prepared by then."""

EXPRESSION = "height < 150 and category in ('shoes', 'shirts') and app_version == '5.0.0'"
FEW = ("height", "weight", "gender", "category", "app_version", "product")

Taps = tuple[TapSettings, ...]
Event = tuple[int, str, bytes]


def taps(*stages: str, **more: object) -> Taps:
    """A tap after some stages, else after every one."""
    return (TapSettings("t", "widget-event", stages or STAGES, **more),)  # type: ignore[arg-type]


BASE = "no taps"
KINDS: dict[str, Taps] = {
    BASE: (),
    "1% at every stage": taps(sample=0.01),
    "1% at every stage, six columns": taps(sample=0.01, columns=FEW),
    "1%, filter in words": taps(sample=0.01, filter=Filter(expression=EXPRESSION)),
    "1%, rate and budget": taps(sample=0.01, rate=1000, budget=10**9),
    "10% at every stage": taps(sample=0.1),
    "all records after decode": taps("decode"),
    "all records after decode, six columns": taps("decode", columns=FEW),
    "all records after normalise": taps("normalise"),
    "all records after every stage": taps(),
}


def events(count: int) -> list[Event]:
    """Widget events in the order of their arrival: arrival, shop and JSON."""
    rng = random.Random(SEED)
    encode = msgspec.json.Encoder().encode
    made = []
    for number in range(count):
        at = START_MS + number * 1000 // RATE
        shop = f"shop-{rng.randrange(SHOPS):04d}"
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000))
        event = {
            "event_id": f"{rng.getrandbits(128):032x}", "shop": shop,
            "time": f"{moment}.{at % 1000:03d}Z", "shopper": f"u{rng.randrange(50_000)}",
            "product": f"p-{rng.randrange(900)}",
            "category": rng.choice(("shirts", "trousers", "dresses", "jackets", "shoes")),
            "gender": "female" if rng.random() < 0.6 else "male",
            "height": round(rng.gauss(170, 9), 1), "height_unit": "cm",
            "weight": round(rng.gauss(70, 12), 1), "weight_unit": "kg",
            "age": rng.randrange(16, 80), "recommended_size": rng.choice("SML"),
            "fit_preference": "regular", "app_version": "5.0.0",
        }  # fmt: skip
        made.append((at, shop, encode(event)))
    return made


def run(given: list[Event], kind: Taps, empty: Path) -> dict[str, float]:
    """Processor seconds by what was done, into a copy of an empty database."""
    settings = RecorderSettings()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty, f"{folder}/taps.db")
        engine = create_engine_for(f"sqlite:///{folder}/taps.db")
        recorder = Recorder(settings.every, settings.memory)
        pipeline = Pipeline(store=SqlStore(engine), taps=kind, recorder=recorder)
        pipeline.feed(given[:WARM])
        pipeline.look(given[WARM][0], everything=True)
        pipeline.cpu.clear()
        begun = time.process_time()
        pipeline.feed(given[WARM:])
        pipeline.look(given[-1][0] + 60_000, everything=True)
        whole = time.process_time() - begun
        engine.dispose()
    return {"whole": whole, **pipeline.cpu}


def table(found: dict[str, list[dict[str, float]]], count: int) -> str:
    """Markdown: a row for each kind."""
    head = "| taps | µs an event | COUNT | flush of COUNT | of the rate without | least to most |"
    lines = [head, "|---|---:|---:|---:|---:|---:|"]
    for name, runs in found.items():
        least = min(runs, key=lambda one: one["whole"])
        ratios = [base["whole"] / one["whole"] for base, one in zip(found[BASE], runs, strict=True)]
        parts = (least["whole"], least["count process"] + least["count settle"])
        cells = [f"{part / count * 1e6:.2f}" for part in (*parts, least["count commit"])]
        middle = statistics.median(ratios)
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        lines.append(f"| {name} | {' | '.join(cells)} | {middle:.2f} | {spread} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="parts of the kinds' names")
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    collect_less_often()
    given = events(WARM + asked.events)
    chosen = {
        name: kind
        for name, kind in KINDS.items()
        if name == BASE or not asked.only or any(part in name for part in asked.only)
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    with tempfile.TemporaryDirectory() as folder:
        upgrade(f"sqlite:///{folder}/empty.db")
        for number in range(asked.rounds):
            for name, kind in chosen.items():
                found[name].append(run(given, kind, Path(folder) / "empty.db"))
                print(number + 1, name, found[name][-1]["whole"], file=sys.stderr)
    text = table(found, asked.events)
    print(text)
    if asked.out is not None:
        machine = described()
        head = f"`{machine['command']}`\n\n{in_words(machine)}\n\n"
        (asked.out / "tap_cost.md").write_text(head + text)
        answer = {"machine": machine, "seed": SEED, "events": asked.events, "seconds": found}
        (asked.out / "tap_cost.json").write_text(json.dumps(answer, indent=2) + "\n")


if __name__ == "__main__":
    main()
