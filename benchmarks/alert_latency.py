"""From a record's arrival to its alert in /metrics, under a steady load of Kafka.

    python benchmarks/alert_latency.py --rates 1000 5000 --out benchmarks/results

A worker of its own process learns 16 days of 100 shops; then records arrive at the rate asked
for, and from known moments on one shop after the other lacks a field, or sends inches for
centimetres. /metrics is asked every 100 ms. A latency lasts from the arrival that the first
faulty record carries until the answer in which its incident is open; it holds the time in which
the producer gathers a batch, the records that the test needs to be sure, and the asking.

A lacking field and a wrong unit are told apart. How many flushes they wait for at other minutes of
an hour, `alert_flushes.py` tells.
"""

import argparse
import json
import multiprocessing
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from latency_load import DAYS, EVENTS_A_DAY, SHOPS, Plan, history, load, plan_of

from streamwatch.adapters.kafka.replay import replay
from streamwatch.adapters.kafka.topics import create_topics
from streamwatch.adapters.local.kafka import start_kafka
from streamwatch.adapters.local.process import free_port
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.migrations import upgrade

ASK_S = 0.1
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

    def total(self, name: str, label: str = "") -> float:
        """The sum of a metric's series, or of those with a label."""
        series = rb"^%s\{[^\n]*%s[^\n]*\} ([^\n]+)$" % (name.encode(), label.encode())
        lines = re.findall(series, self.scrape(), re.MULTILINE)
        return sum(float(value) for value in lines)

    def processor_s(self) -> float:
        """Seconds of the processor that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def waited_s(self) -> float:
        """Seconds in which one of its threads could run and no processor was free."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(one.read_text().split()[1]) for one in threads) / 1e9

    def lag(self) -> float:
        """Records of the source that are not in the database."""
        return self.total("streamwatch_consumer_lag_records", 'step="count"')

    def wait_until_read(self, records: int) -> None:
        """Until it has counted so many records and all of them are in the database.

        What JUDGE and FLEET read are heartbeats, too, which always wait for a flush.
        """
        end = time.monotonic() + 300
        while self.total("streamwatch_records_in_total") < records or self.lag():
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
        used, waited, began = worker.processor_s(), worker.waited_s(), time.monotonic()
        seen, took = watch(worker, plan)
        lasted = time.monotonic() - began
        cpu = (worker.processor_s() - used) / lasted
        waiting = (worker.waited_s() - waited) / lasted
        producer.join()
        late = time.time() * 1000 - (plan.start_ms + plan.seconds * 1000)
        lag = worker.lag()
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
        "worker_waited": round(waiting, 2),
        "producer_late_s": round(late / 1000, 1),
        "lag_at_end": lag,
        "scrape_p50_s": round(float(np.median(took)), 3),
        "scrape_max_s": round(max(took), 3),
        "latencies": kinds,
    }


def table(runs: list[dict[str, Any]]) -> str:
    """The runs as Markdown."""
    lines = [
        (
            "| events/s | fault | faults | not seen | p50 | p99 | slowest | worker's processor | "
            "waited for one | scrape p50 |"
        ),
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
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
                f"{run['worker_waited']:.0%} | "
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
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "alert_latency.md").write_text(
            "# Latency of alerts\n\n" + told + table(runs)
        )
        (options.out / "alert_latency.json").write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
