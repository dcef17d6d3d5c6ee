"""What a line costs in `streamwatch backtest`, part by part, beside a bare msgspec decode.

    PYTHONPATH=src python benchmarks/backtest_parts.py FILE... [--topic widget-event]

Processor time of reading alone, of COUNT, JUDGE and FLEET by process and settle, and of the whole
run. The files are of one topic; those of `streamwatch simulate` tell theirs.
"""

import argparse
import io
import sys
import time
from collections import Counter, deque
from contextlib import redirect_stdout
from typing import Any

import msgspec

from streamwatch.adapters.files.reader import read_file
from streamwatch.cli.backtest import command
from streamwatch.domain.events import ReceivedWidgetEvent
from streamwatch.runner.partition import Partition

SPENT: Counter[str] = Counter()


def timed(method: str) -> None:
    """Let `Partition` note the processor time of a method, by step."""
    original = getattr(Partition, method)

    def noting(self: Partition[Any], *given: Any) -> Any:
        begun = time.process_time()
        found = original(self, *given)
        SPENT[f"{self.id.step} {method}"] += time.process_time() - begun
        return found

    setattr(Partition, method, noting)


def bare(file: str, topic: str | None) -> float:
    """Seconds that only decoding its lines takes."""
    lines = [line.value for line in read_file(file, topic=topic)]
    decode = msgspec.json.Decoder(ReceivedWidgetEvent).decode
    begun = time.process_time()
    for line in lines:
        decode(line)
    return time.process_time() - begun


def main() -> None:
    """Measure each file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--topic", default=None)
    asked = parser.parse_args()
    timed("process")
    timed("prepare")
    for file in asked.files:
        decoding = bare(file, asked.topic)
        begun = time.process_time()
        [last] = deque(enumerate(read_file(file, topic=asked.topic), start=1), maxlen=1)
        parts = {"bare decode": decoding, "reading": time.process_time() - begun}
        SPENT.clear()
        words = [file, "--json", *(["--topic", asked.topic] if asked.topic else [])]
        begun = time.process_time()
        with redirect_stdout(io.StringIO()):
            command.main(words, standalone_mode=False)
        parts |= {**SPENT, "whole": time.process_time() - begun}
        each = ", ".join(f"{name} {spent / last[0] * 1e6:.2f}" for name, spent in parts.items())
        sys.stdout.write(f"{file}: {last[0]:,} lines; µs a line: {each}\n")


if __name__ == "__main__":
    main()
