"""Memory of a worker that works off a backlog of ten hours.

    PYTHONPATH=src python benchmarks/backlog.py --events 1000000 6000000 --out benchmarks/results

Ten hours of 20 shops' events lie in Kafka before the worker starts, with an empty SQLite
database. Its resident memory is told every half second until nothing waits any more. What grows
meanwhile is what the worker learns of these ten hours; so a second worker is started on the same
database when nothing waits, and its memory is told, too: the difference is what the backlog cost.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from alert_latency import SETTINGS, Worker
from machine import described
from svg import curves

from streamwatch.adapters.kafka.topics import create_topics
from streamwatch.adapters.local.kafka import start_kafka
from streamwatch.adapters.local.process import free_port
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.migrations import upgrade

sys.path.insert(0, str(Path(__file__).parent / "throughput"))
from workload import START_MS, events

SHOPS, PARTITIONS, HOURS = 20, 4, 10
TEMPLATES = 20_000
A_BATCH = 2_000
LOOK_S = 0.5
SETTLE_S = 20.0

Sample = tuple[float, int, float]
"""Seconds since the start, events in the database, resident megabytes."""


def backlog(count: int) -> Iterator[tuple[int, bytes]]:
    """Arrival and JSON of so many events, evenly over the hours."""
    known = []
    for _, _, value in events(TEMPLATES, 1.0, SHOPS):
        before, _, rest = value.partition(b'"time":"')
        known.append((before + b'"time":"', rest[rest.index(b'"') :]))
    seconds = HOURS * 3_600
    for second in range(seconds):
        arrived = START_MS + second * 1_000
        clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(arrived // 1_000)).encode()
        for number in range(second * count // seconds, (second + 1) * count // seconds):
            before, behind = known[number % TEMPLATES]
            yield arrived, before + clock + behind


async def produce(bootstrap: str, topic: str, count: int) -> None:
    """Send them in whole batches, one partition after the other."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1_000_000)
    await producer.start()
    try:
        batch, partition = producer.create_batch(), 0
        for arrived, value in backlog(count):
            full = batch.record_count() >= A_BATCH
            if full or batch.append(key=None, value=value, timestamp=arrived) is None:
                batch.close()
                await producer.send_batch(batch, topic, partition=partition)
                batch, partition = producer.create_batch(), (partition + 1) % PARTITIONS
                batch.append(key=None, value=value, timestamp=arrived)
        batch.close()
        await producer.send_batch(batch, topic, partition=partition)
        await producer.flush()
    finally:
        await producer.stop()


def resident_mb(pid: int) -> float:
    """Megabytes of a process that are in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1_000


def work_off(folder: Path, bootstrap: str, count: int) -> tuple[list[Sample], float]:
    """The worker's memory from its start until nothing waits; that of one that starts then."""
    name, port = f"backlog-{count}", free_port()
    place = folder / name
    place.mkdir()
    file = place / "streamwatch.yaml"
    file.write_text(SETTINGS.format(bootstrap=bootstrap, name=name, port=port))
    settings = load_settings(file, {"STREAMWATCH_DATABASE": f"sqlite:///{place}/latency.db"})
    create_topics(settings)
    upgrade(settings.database)
    topic = settings.sources[0].topic
    asyncio.run(produce(bootstrap, topic, count))
    print(f"{count:,} events wait", file=sys.stderr)
    worker = Worker(place, port)
    begun = time.monotonic()
    samples: list[Sample] = []
    try:
        read = 0
        while read < count:
            time.sleep(LOOK_S)
            read = int(worker.total("streamwatch_records_in_total", 'topic="' + topic))
            samples.append((time.monotonic() - begun, read, resident_mb(worker.process.pid)))
            if worker.process.poll() is not None or samples[-1][0] > 1_800:
                raise SystemExit(f"the worker does not get on: see {worker.log.name}")
    finally:
        worker.stop()
    worker = Worker(place, port)
    try:
        worker.wait_until_read(0)
        time.sleep(SETTLE_S)
        return samples, resident_mb(worker.process.pid)
    finally:
        worker.stop()


def summary(samples: list[Sample], later: float, count: int) -> dict[str, Any]:
    """What the samples say: memory early, late and at most, each of a tenth of the backlog."""
    tenths = [
        [mb for _, read, mb in samples if place * count / 10 < read <= (place + 1) * count / 10]
        for place in range(10)
    ]
    return {
        "events": count,
        "seconds": round(samples[-1][0], 1),
        "events a second": round(count / samples[-1][0]),
        "most megabytes in each tenth": [round(max(one)) if one else None for one in tenths],
        "most megabytes": round(max(mb for *_, mb in samples)),
        "megabytes of a worker started afterwards": round(later),
        "samples": [(round(at, 1), read, round(mb, 1)) for at, read, mb in samples],
    }


def main() -> None:
    """Work backlogs off and write what memory they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 6_000_000])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    machine = described()
    jars = Path(__file__).parents[1] / ".local" / "jars"
    found: dict[int, tuple[list[Sample], float]] = {}
    with tempfile.TemporaryDirectory(prefix="streamwatch-backlog-") as name:
        broker = start_kafka(Path(name), port=free_port(), jars=jars, native=True)
        try:
            for count in arguments.events:
                found[count] = work_off(Path(name), broker.bootstrap, count)
        finally:
            broker.remove()
    results = [summary(samples, later, count) for count, (samples, later) in found.items()]
    for one in results:
        print({key: value for key, value in one.items() if key != "samples"})
    if arguments.out:
        report = {"machine": machine, "shops": SHOPS, "hours": HOURS, "results": results}
        (arguments.out / "backlog.json").write_text(json.dumps(report, indent=1) + "\n")
        lines = {
            f"{count / 1e6:g} million wait": [(read, mb) for _, read, mb in samples if read]
            for count, (samples, _) in found.items()
        }
        title = f"A worker and ten hours of backlog of {SHOPS} shops"
        plot = curves(title, ("events in the database", "resident megabytes"), lines)
        (arguments.out / "backlog.svg").write_text(plot)


if __name__ == "__main__":
    main()
