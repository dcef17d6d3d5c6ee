"""The same events for every contender, and the job that all of them do.

The job: decode each event, check it, keep count and mean of three features per shop and hour,
commit offsets. ``tally`` is that job for one decoded event; contenders that have their own way
of keeping state use their own.
"""

import random
import sys
import time
from collections.abc import Iterator

import msgspec

SHOPS = 200
PARTITIONS = 4
SEED = 1
START_MS = 1_788_220_800_000
_CATEGORIES = ("shirts", "trousers", "dresses", "jackets", "shoes")


class Widget(msgspec.Struct, gc=False):
    """What the bare contenders decode into."""

    event_id: str
    shop: str
    time: str
    height: float | None = None
    weight: float | None = None
    age: float | None = None


def events(
    count: int, hours: float, shops: int = SHOPS, seed: int = SEED
) -> Iterator[tuple[int, str, bytes]]:
    """Arrival in milliseconds, shop and JSON of each event, evenly over so many hours."""
    rng = random.Random(seed)  # a workload, no secret
    encode = msgspec.json.Encoder().encode
    for number in range(count):
        at = START_MS + int(number * hours * 3_600_000 / count)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000))
        shop = f"shop-{rng.randrange(shops):05d}"
        event = {
            "event_id": f"event-{number:09d}",
            "shop": shop,
            "time": f"{moment}.{at % 1000:03d}Z",
            "shopper": f"u{rng.randrange(50_000)}",
            "product": f"p-{rng.randrange(900)}",
            "category": rng.choice(_CATEGORIES),
            "gender": "female" if rng.random() < 0.6 else "male",
            "height": round(rng.gauss(170, 9), 1),
            "height_unit": "cm",
            "weight": round(rng.gauss(70, 12), 1),
            "weight_unit": "kg",
            "age": rng.randrange(16, 80),
            "recommended_size": rng.choice(("S", "M", "L")),
            "fit_preference": "regular",
            "app_version": "4.2.0",
        }
        yield at, shop, encode(event)


State = dict[tuple[str, str], list[float]]


def tally(state: State, event: Widget) -> None:
    """Count and mean of three features of one event, per shop and hour."""
    if not event.event_id or not event.shop or len(event.time) < len("2026-09-01T10"):
        return
    key = (event.shop, event.time[:13])
    sums = state.get(key)
    if sums is None:
        sums = state[key] = [0.0] * 7
    add(sums, event)


def add(sums: list[float], event: Widget) -> None:
    """The event into the sums of its shop and hour."""
    sums[0] += 1
    for place, value in ((1, event.height), (3, event.weight), (5, event.age)):
        if value is not None:
            sums[place] += 1
            sums[place + 1] += (value - sums[place + 1]) / sums[place]


class Stopwatch:
    """Wall and processor time from the first event to the last, reported as one JSON line."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.seen = 0
        self._begun: tuple[float, float] | None = None

    def add(self, count: int) -> bool:
        """Note events; true when all have been seen."""
        if self._begun is None:
            self._begun = (time.monotonic(), time.process_time())
        self.seen += count
        return self.seen >= self.expected

    def report(self, state_keys: int) -> None:
        """Print the figures."""
        wall, cpu = self._begun or (time.monotonic(), time.process_time())
        answer = {
            "events": self.seen,
            "wall_s": time.monotonic() - wall,
            "cpu_s": time.process_time() - cpu,
            "keys": state_keys,
        }
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
        sys.stdout.flush()
