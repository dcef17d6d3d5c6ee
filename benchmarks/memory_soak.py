"""Whether memory grows: many events through the three steps, resident memory told on the way.

    PYTHONPATH=src python benchmarks/memory_soak.py --events 20000000 --out benchmarks/results

20 shops, a day of their time for every 500,000 events, so that hours and days open, close, are
judged and forgotten. Nothing is stored: what grows is what the steps keep. They keep eight days
of hours for late records and the verdicts of a month, so growth counts from the 30th day on.
"""

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inprocess import Pipeline
from machine import described, in_words
from scaling_points import resident
from svg import law

from streamwatch.domain.settings import FlushSettings

sys.path.insert(0, str(Path(__file__).parent / "throughput"))
from workload import START_MS, events

SHOPS = 20
A_DAY = 500_000
TEMPLATES = 20_000
DAY_MS = 86_400_000
Event = tuple[int, str, bytes]
SETTLED_DAYS = 30


def templates() -> list[tuple[str, bytes, bytes]]:
    """Shop, and the JSON before and after the event's time."""
    made = []
    for _, shop, value in events(TEMPLATES, 1.0, SHOPS):
        before, _, rest = value.partition(b'"time":"')
        made.append((shop, before + b'"time":"', rest[rest.index(b'"') :]))
    return made


def day_of_events(day: int, known: list[tuple[str, bytes, bytes]]) -> Iterator[Event]:
    """The events of one day, one by one, so that they take no memory."""
    begin = START_MS + day * DAY_MS
    date = time.strftime("%Y-%m-%dT", time.gmtime(begin / 1000)).encode()
    for second in range(86_400):
        clock = b"%b%02d:%02d:%02dZ" % (date, second // 3600, second // 60 % 60, second % 60)
        first, last = second * A_DAY // 86_400, (second + 1) * A_DAY // 86_400
        for number in range(first, last):
            shop, before, behind = known[number % TEMPLATES]
            yield begin + second * 1000, shop, before + clock + behind


def soak(count: int) -> list[dict[str, Any]]:
    """Events so far, resident bytes and events a processor second, day by day."""
    pipeline = Pipeline(flush=FlushSettings(interval=1_800_000, longest=3_600_000))
    known = templates()
    told = []
    spent = 0.0
    for day in range(count // A_DAY):
        pipeline.feed(day_of_events(day, known))
        gc.collect()
        total = sum(pipeline.cpu.values())
        one = {
            "day": day + 1,
            "events": (day + 1) * A_DAY,
            "resident MB": round(resident() / 1e6, 1),
            "events a CPU second": round(A_DAY / (total - spent)),
        }
        spent = total
        told.append(one)
        print(json.dumps(one), file=sys.stderr, flush=True)
    return told


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    told = soak(options.events)
    settled = [(one["events"], one["resident MB"]) for one in told[SETTLED_DAYS:]]
    result = {
        "machine": described(),
        "growth exponent after the 30th day": round(law(settled), 3) if settled else None,
        "days": told,
    }
    print(in_words(result["machine"]))
    print(json.dumps({key: value for key, value in result.items() if key != "days"}))
    if options.out is not None:
        (options.out / "soak.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
