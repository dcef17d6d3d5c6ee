"""Run all contenders in turn on one broker and the same events; print a table of ratios.

    python benchmarks/throughput/run.py --events 400000 --rounds 5 --out benchmarks/results

Each contender runs in a process of its own, one after the other, round after round, so that
what the machine does meanwhile hits all alike. Peers live in an environment of their own,
which is made first. Figures are events per second of processor time, and of wall time.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from kafka.admin import KafkaAdminClient, NewTopic

from streamwatch.adapters.kafka.outgoing import Outgoing
from streamwatch.adapters.kafka.replay import replay
from streamwatch.adapters.local.kafka import start_kafka

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from workload import PARTITIONS, events  # noqa: E402

PEERS = ("quixstreams==3.28.1", "bytewax==0.21.1", "confluent-kafka>=2.8")
OURS = ("msgspec", "uvloop", "aiokafka")
CONTENDERS: dict[str, tuple[str, ...]] = {
    "streamwatch, whole path": ("streamwatch_worker.py",),
    "streamwatch, without judging": ("streamwatch_worker.py", "judging"),
    "streamwatch, without judging and database": ("streamwatch_worker.py", "judging", "database"),
    "bare confluent-kafka + msgspec": ("bare_confluent.py",),
    "bare aiokafka getmany + msgspec": ("bare_aiokafka.py",),
    "stock Faust, per-event agent": ("stock_faust.py",),
    "Quix Streams": ("quix.py",),
    "Bytewax": ("bytewax_flow.py",),
}
PATIENCE_S = 600


def peers_python(folder: Path) -> Path:
    """The interpreter of the peers' own environment."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", *PEERS, *OURS]
        subprocess.run(install, check=True)
    return python


def fill(bootstrap: str, topic: str, count: int) -> None:
    """Put the events into a topic of `PARTITIONS` partitions, keyed by shop."""
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    client.create_topics([NewTopic(topic, PARTITIONS, 1)])
    client.close()

    def records() -> Iterator[Outgoing]:
        for number, (at, value) in enumerate(events(count)):
            shop = value.split(b'"shop":"', 1)[1][:8]
            yield Outgoing(topic, shop, value, at, "bench", number)

    replay(records(), bootstrap, now_ms=2**53)


def measure(python: Path, script: tuple[str, ...], arguments: list[str]) -> dict[str, float]:
    """One run of one contender."""
    name, *parts = script
    interpreter = Path(sys.executable) if name.startswith(("streamwatch", "stock")) else python
    command = [str(interpreter), str(HERE / name), *arguments, *parts]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=HERE
    )
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            figures: dict[str, float] = json.loads(line)
            return figures
    raise SystemExit(f"{name} told nothing:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=None, help="parts of contenders' names")
    parser.add_argument("--folder", type=Path, default=Path(".local/bench"))
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    python = peers_python((options.folder / "peers").resolve())
    chosen = {
        name: script
        for name, script in CONTENDERS.items()
        if options.only is None or any(part in name for part in options.only)
    }
    broker = start_kafka(options.folder, jars=options.folder.parent / "jars")
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    try:
        topic = f"bench-{uuid.uuid4().hex[:8]}"
        fill(broker.bootstrap, topic, options.events)
        for round_ in range(options.rounds):
            for name, script in chosen.items():
                group = f"g{uuid.uuid4().hex[:10]}"
                arguments = [broker.bootstrap, topic, group, str(options.events)]
                figures = measure(python, script, arguments)
                runs[name].append(figures)
                rate = figures["events"] / figures["cpu_s"]
                print(f"round {round_ + 1} {name}: {rate:,.0f}/cpu s", file=sys.stderr)
    finally:
        broker.remove()
    print_table(runs, options.events, options.out)


def print_table(runs: dict[str, list[dict[str, float]]], count: int, out: Path | None) -> None:
    """Medians, spread and ratios, as Markdown; and all figures as JSON if a folder is given."""
    rates = {n: [r["events"] / r["cpu_s"] for r in found] for n, found in runs.items()}
    walls = {n: [r["events"] / r["wall_s"] for r in found] for n, found in runs.items()}
    ours = statistics.median(next(iter(rates.values())))
    lines = [
        (
            f"{count:,} events, {len(next(iter(runs.values())))} interleaved rounds, "
            f"Python {platform.python_version()}, {platform.machine()}"
        ),
        "",
        (
            "| contender | events per CPU second (median) | spread | events/s wall | "
            "whole path is … times as fast |"
        ),
        "|---|---:|---:|---:|---:|",
    ]
    for name, found in rates.items():
        middle = statistics.median(found)
        spread = f"{min(found):,.0f} to {max(found):,.0f}"
        wall = statistics.median(walls[name])
        lines.append(f"| {name} | {middle:,.0f} | {spread} | {wall:,.0f} | {ours / middle:.2f} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "throughput.md").write_text(text)
        (out / "throughput.json").write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
