"""From a record's arrival to its alert in /metrics, under a steady load of Kafka.

    python benchmarks/alert_latency.py --rates 1000 5000 --out benchmarks/results

A worker of its own process learns 16 days of 100 shops; then records arrive at the rate asked
for, and from known moments on one shop after the other lacks a field, or sends inches for
centimetres. /metrics is asked every 100 ms. A latency lasts from the arrival that the first
faulty record carries until the answer in which its incident is open; it holds the time in which
the producer gathers a batch, the records that the test needs to be sure, and the asking.

A lacking field is tested at every flush. Single values and means are looked at each time the
hour has grown by 15 %, so a wrong unit waits for that, too: these are told apart.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from streamwatch.adapters.kafka.outgoing import Outgoing
from streamwatch.adapters.kafka.replay import replay
from streamwatch.adapters.kafka.topics import create_topics
from streamwatch.adapters.local.kafka import start_kafka
from streamwatch.adapters.local.process import free_port
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.migrations import upgrade

DAY_MS = 86_400_000
SHOPS, DAYS, EVENTS_A_DAY = 100, 16, 40
FIELDS = ("height", "weight", "age", "category", "gender", "recommended_size", "fit_preference")
SHOPS_A_FAULT = 8
"""Fewer than a tenth of the shops: from there on an incident of many shops would cover them."""

QUIET_S = 12.0
"""Load before the first fault, so that the days before today are closed and judged."""

ASK_S = 0.1
VARIANTS = 500
SETTINGS = """\
database: sqlite:///latency.db
kafka: {{bootstrap: "{bootstrap}", group: "{name}", prefix: "{name}", partitions: 4}}
sources: [{{topic: "{name}.widget-event", event: widget-event}}]
metrics_port: {port}
"""
OPEN = re.compile(
    rb'^streamwatch_incident_open\{direction="\w+",event_type="widget-event",kpi="([^"]+)",'
    rb'segment="all",shop="([^"]+)",span="day"\} 1$',
    re.MULTILINE,
)


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


def produce(plan: Plan, bootstrap: str) -> None:
    """Send the load in its own time."""
    replay(load(plan), bootstrap, now_ms=2**53, speed=1.0)


class Worker:
    """A worker process and its /metrics."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/metrics"
        self.log = (folder / "worker.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamwatch", "worker"],
            cwd=folder,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def scrape(self) -> bytes:
        """What /metrics says; nothing while it does not answer."""
        try:
            with urllib.request.urlopen(self.url, timeout=30) as answer:
                return bytes(answer.read())
        except OSError:
            return b""

    def total(self, name: str) -> float:
        """The sum of a metric's series."""
        lines = re.findall(rb"^%s\{[^\n]*\} ([^\n]+)$" % name.encode(), self.scrape(), re.M)
        return sum(float(value) for value in lines)

    def processor_s(self) -> float:
        """Seconds of the processor that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_until_read(self, records: int) -> None:
        """Until it has read so many records and lags nowhere."""
        end = time.monotonic() + 300
        while self.total("streamwatch_records_in_total") < records or self.total(
            "streamwatch_consumer_lag_records"
        ):
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(f"the worker does not read: see {self.log.name}")
            time.sleep(0.5)

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(timeout=10)
        self.log.close()


def watch(worker: Worker, plan: Plan) -> tuple[dict[tuple[str, str], float], list[float]]:
    """When each incident was first seen open (milliseconds), and how long each answer took."""
    seen: dict[tuple[str, str], float] = {}
    took: list[float] = []
    end = plan.start_ms + plan.seconds * 1000 + 15_000
    wanted = {(fault.shop, fault.kpi) for fault in plan.faults}
    while time.time() * 1000 < end and not wanted <= seen.keys():
        began = time.time()
        text = worker.scrape()
        now = time.time()
        took.append(now - began)
        for kpi, shop in OPEN.findall(text):
            seen.setdefault((shop.decode(), kpi.decode()), now * 1000)
        time.sleep(max(0.0, ASK_S - (time.time() - began)))
    return seen, took


def measure(bootstrap: str, rate: int, seconds: float, seed: int) -> dict[str, Any]:
    """One run at one rate, on topics and a database of its own."""
    name, port = f"latency-{time.time_ns()}", free_port()
    folder = Path(tempfile.mkdtemp(prefix="latency-"))
    file = folder / "streamwatch.yaml"
    file.write_text(SETTINGS.format(bootstrap=bootstrap, name=name, port=port))
    (folder / "tap_config").mkdir()
    settings = load_settings(file, {})
    create_topics(settings)
    upgrade(f"sqlite:///{folder / 'latency.db'}")
    topic = f"{name}.widget-event"
    replay(history(topic, time.time_ns() // 1_000_000, seed), bootstrap, now_ms=2**53)
    worker = Worker(folder, port)
    try:
        worker.wait_until_read(DAYS * SHOPS * EVENTS_A_DAY)
        plan = plan_of(topic, rate, seconds, seed)
        producer = multiprocessing.Process(target=produce, args=(plan, bootstrap))
        producer.start()
        used, began = worker.processor_s(), time.monotonic()
        seen, took = watch(worker, plan)
        cpu = (worker.processor_s() - used) / (time.monotonic() - began)
        producer.join()
        late = time.time() * 1000 - (plan.start_ms + plan.seconds * 1000)
        lag = worker.total("streamwatch_consumer_lag_records")
    finally:
        worker.stop()
    kinds = {"a field lacks": [], "wrong unit": []}
    for fault in plan.faults:
        at = seen.get((fault.shop, fault.kpi))
        kind = "wrong unit" if fault.kpi == "mean.height" else "a field lacks"
        kinds[kind].append(None if at is None else (at - fault.at_ms) / 1000)
    return {
        "rate": rate,
        "seconds": seconds,
        "seed": seed,
        "worker_cpu": round(cpu, 2),
        "producer_late_s": round(late / 1000, 1),
        "lag_at_end": lag,
        "scrape_p50_s": round(float(np.median(took)), 3),
        "scrape_max_s": round(max(took), 3),
        "latencies": kinds,
    }


def table(runs: list[dict[str, Any]]) -> str:
    """The runs as Markdown."""
    lines = [
        "| events/s | fault | faults | not seen | p50 | p99 | slowest | worker's processor | "
        "scrape p50 |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for run in runs:
        for kind, found in run["latencies"].items():
            told = sorted(one for one in found if one is not None)
            if not told:
                continue
            p50, p99 = np.percentile(told, [50, 99])
            lines.append(
                f"| {run['rate']:,} | {kind} | {len(found)} | {len(found) - len(told)} | "
                f"{p50:.2f} s | {p99:.2f} s | {told[-1]:.2f} s | {run['worker_cpu']:.0%} | "
                f"{run['scrape_p50_s']:.3f} s |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", type=int, nargs="+", default=[20_000])
    parser.add_argument("--seconds", type=float, default=75.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jars", type=Path, default=Path(".local/jars"))
    parser.add_argument("--out", type=Path, default=None, help="folder for the results")
    options = parser.parse_args()
    broker = start_kafka(Path(tempfile.mkdtemp(prefix="kafka-")), jars=options.jars.resolve())
    runs = []
    try:
        for rate in options.rates:
            runs.append(measure(broker.bootstrap, rate, options.seconds, options.seed))
            print(table(runs[-1:]), file=sys.stderr)
    finally:
        broker.remove()
    told = (
        f"`python benchmarks/alert_latency.py --rates {' '.join(map(str, options.rates))} "
        f"--seconds {options.seconds:g} --seed {options.seed}`, {time.strftime('%Y-%m-%d')}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores of {platform.machine()}, "
        "shared by worker, broker and producer; 100 shops, one worker, SQLite.\n\n"
    )
    print(told + table(runs))
    if options.out is not None:
        (options.out / "alert_latency.md").write_text(
            "# Latency of alerts\n\n" + told + table(runs)
        )
        (options.out / "alert_latency.json").write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
