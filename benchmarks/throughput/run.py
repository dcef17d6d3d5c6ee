"""Run all contenders in turn on one broker and the same events; tell the ratios.

    python benchmarks/throughput/run.py --rounds 5 --out benchmarks/results

Each contender runs in a process of its own, one after the other, round after round, so that
what the machine does meanwhile hits all alike. Peers live in an environment of their own,
which is made first; who cannot be installed is left out, and the table says so. The ratios are
of events per second of processor time, round by round. ``--more`` adds rounds to those that
stand in the folder already.
"""

import argparse
import json
import subprocess
import sys
import uuid
from pathlib import Path

from contenders import CONTENDERS, Contender, command, sampled
from flame import draw, read
from report import Result, Run, table, write
from topics import fill

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import described

from streamwatch.adapters.local.kafka import start_kafka

HERE = Path(__file__).parent
PATIENCE_S = 300


def measure(start: list[str], contender: Contender, arguments: list[str]) -> Run | None:
    """One run of one contender; ``None`` if it told nothing."""
    asked = [*start, *arguments, *contender.script[1:]]
    try:
        done = subprocess.run(
            asked, capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=HERE
        )
    except subprocess.TimeoutExpired:
        print(f"{contender.name}: no answer within {PATIENCE_S} s", file=sys.stderr)
        return None
    for line in done.stdout.splitlines():
        begin = line.find('{"events"')
        if begin >= 0:
            figures: Run = json.loads(line[begin : line.index("}", begin) + 1])
            return figures
    print(f"{contender.name} told nothing:\n{done.stderr[-2000:]}", file=sys.stderr)
    return None


def prepared(chosen: list[Contender], folder: Path, result: Result) -> dict[str, list[str]]:
    """Contender → the command that starts it; who cannot be installed is noted as missing."""
    starts = {}
    for contender in chosen:
        try:
            starts[contender.name] = command(contender, folder)
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            result["missing"][contender.name] = str(error)
    return starts


def rounds(options: argparse.Namespace, result: Result) -> None:
    """Measure, round after round."""
    chosen = [one for one in CONTENDERS if not options.only or _named(one, options.only)]
    starts = prepared(chosen, options.folder.resolve(), result)
    broker = start_kafka(options.folder, jars=options.folder.parent / "jars")
    try:
        topics: dict[float, str] = {}
        for hours in sorted({one.hours for one in chosen}):
            topics[hours] = f"bench-{uuid.uuid4().hex[:8]}"
            fill(broker.bootstrap, topics[hours], options.events, hours)
        for number in range(options.rounds):
            for contender in (one for one in chosen if one.name in starts):
                group = f"g{uuid.uuid4().hex[:10]}"
                place = [broker.bootstrap, topics[contender.hours], group, str(options.events)]
                figures = measure(starts[contender.name], contender, place)
                if figures is not None:
                    result["runs"].setdefault(contender.name, []).append(figures)
                    rate = figures["events"] / figures["cpu_s"]
                    print(
                        f"round {number + 1} {contender.name}: {rate:,.0f} a CPU second",
                        file=sys.stderr,
                    )
            if options.out is not None:
                write(result, options.out)
        if options.flame is not None:
            first = chosen[0]
            stacks = options.folder.resolve() / "stacks.txt"
            start = sampled(starts[first.name], options.folder.resolve(), stacks)
            group = f"g{uuid.uuid4().hex[:10]}"
            measure(
                start, first, [broker.bootstrap, topics[first.hours], group, str(options.events)]
            )
            options.flame.write_text(draw(read(stacks.read_text())))
    finally:
        broker.remove()


def _named(contender: Contender, parts: list[str]) -> bool:
    return any(part in contender.name for part in parts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="parts of contenders' names")
    parser.add_argument("--folder", type=Path, default=Path(".local/bench"))
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--flame", type=Path, help="draw a flame graph of the first contender")
    parser.add_argument("--more", action="store_true", help="add to the rounds in the folder")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    result: Result = {"machine": {}, "events": options.events, "runs": {}, "missing": {}}
    if options.more and options.out is not None and (options.out / "throughput.json").exists():
        result = json.loads((options.out / "throughput.json").read_text())
    result["machine"] = described()
    rounds(options, result)
    print(table(result))


if __name__ == "__main__":
    main()
