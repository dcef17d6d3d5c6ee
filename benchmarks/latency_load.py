"""The load of `alert_latency.py`: usual days, then a steady rate with faults at known moments."""

import json
import random
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from streamwatch.adapters.kafka.outgoing import Outgoing

DAY_MS = 86_400_000
SHOPS, DAYS, EVENTS_A_DAY = 100, 16, 40
FIELDS = ("height", "weight", "age", "category", "gender", "recommended_size", "fit_preference")
SHOPS_A_FAULT = 8
"""Fewer than a tenth of the shops: from there on an incident of many shops would cover them."""

QUIET_S = 12.0
"""Load before the first fault, so that the days before today are closed and judged."""

VARIANTS = 500


class Fault(msgspec.Struct, frozen=True):
    """From a moment on, a shop lacks a field or sends it in another unit."""

    shop: str
    kpi: str
    at_ms: int


class Plan(msgspec.Struct, frozen=True):
    """A steady load with faults in it."""

    topic: str
    start_ms: int
    rate: int
    seconds: float
    faults: tuple[Fault, ...]
    seed: int


def plan_of(topic: str, rate: int, seconds: float, seed: int) -> Plan:
    """One fault for each of some shops, spread evenly over the time after the quiet start."""
    chance = random.Random(seed)
    kpis = [f"missing.{field}" for field in FIELDS for _ in range(SHOPS_A_FAULT)]
    kpis += ["mean.height"] * SHOPS_A_FAULT
    chance.shuffle(kpis)
    shops = chance.sample(range(SHOPS), len(kpis))
    start = int(time.time() * 1000) + 3_000
    gap = (seconds - QUIET_S - 12.0) / len(kpis)
    faults = tuple(
        Fault(f"shop-{shop:03d}", kpi, start + int(1000 * (QUIET_S + place * gap)))
        for place, (shop, kpi) in enumerate(zip(shops, kpis, strict=True))
    )
    return Plan(topic, start, rate, seconds, faults, seed)


def bodies(chance: random.Random, kpi: str = "") -> list[bytes]:
    """The part of an event that does not change from record to record, in some variants."""
    found = []
    for _ in range(VARIANTS):
        event: dict[str, Any] = {
            "height": round(chance.gauss(170, 9), 1),
            "height_unit": "cm",
            "weight": round(chance.gauss(70, 12), 1),
            "weight_unit": "kg",
            "age": chance.randrange(16, 80),
            "gender": chance.choice(("female", "male")),
            "category": chance.choice(("shirts", "trousers", "dresses", "shoes")),
            "recommended_size": chance.choice(("S", "M", "L")),
            "fit_preference": chance.choice(("slim", "regular")),
            "app_version": "4.2.0",
            "shopper": f"u{chance.randrange(50_000)}",
        }
        if kpi == "mean.height":
            event["height"] = round(event["height"] / 2.54, 1)
        elif kpi:
            del event[kpi.partition(".")[2]]
        found.append(json.dumps(event).encode()[1:])
    return found


def record(topic: str, number: int, shop: bytes, at_ms: int, body: bytes) -> Outgoing:
    """One event as Kafka gets it."""
    value = b'{"event_id":"e%d","shop":"%s","time":%d,%s' % (number, shop, at_ms, body)
    return Outgoing(topic, shop, value, at_ms, "bench", number)


def history(topic: str, before_ms: int, seed: int) -> Iterator[Outgoing]:
    """Some usual days of all shops, the last of them yesterday."""
    chance = random.Random(seed)
    pool = bodies(chance)
    first = before_ms // DAY_MS * DAY_MS - DAYS * DAY_MS
    a_day = SHOPS * EVENTS_A_DAY
    for number in range(DAYS * a_day):
        at = first + number * DAY_MS // a_day
        yield record(topic, number, b"shop-%03d" % (number % SHOPS), at, chance.choice(pool))


def load(plan: Plan) -> Iterator[Outgoing]:
    """Records at a steady rate, shop after shop, faulty from their moment on."""
    chance = random.Random(plan.seed)
    pool = bodies(chance)
    faulty = {kpi: bodies(random.Random(plan.seed), kpi) for kpi in {f.kpi for f in plan.faults}}
    fault_of = {fault.shop: fault for fault in plan.faults}
    shops = [f"shop-{number:03d}" for number in range(SHOPS)]
    while time.time() * 1000 < plan.start_ms:
        time.sleep(0.001)
    for number in range(int(plan.rate * plan.seconds)):
        at = plan.start_ms + number * 1000 // plan.rate
        shop = shops[number % SHOPS]
        fault = fault_of.get(shop)
        found = faulty[fault.kpi] if fault is not None and at >= fault.at_ms else pool
        yield record(plan.topic, 10**9 + number, shop.encode(), at, chance.choice(found))
