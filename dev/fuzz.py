# ruff: noqa: INP001  a program, no package
"""Fuzzing of records, tap files and filters: first guided by coverage, then in numbers.

``python dev/fuzz.py [--guided 20000] [--refused 1000000] [--out FOLDER]``: atheris (libFuzzer)
looks for inputs that reach new code, beginning with the committed corpus; then mutations of all of
them are tried without its instrumentation until so many inputs were refused, each with a reason. A
crash, a hang of more than ten seconds or a broken invariant ends the run with exit code 1; its
input is kept in ``.local/fuzz``. New inputs stay there too; the smallest belong into the corpus.
"""

import argparse
import importlib
import json
import multiprocessing
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".local" / "fuzz"
SHARES = {"record": 0.85, "filter": 0.13, "tap": 0.02}
"""Of the refused inputs; a tap file is read and checked as a whole, which takes longest."""


def make(name: str) -> Callable[[bytes], str]:
    """A target by its name."""
    from tests.fuzz import targets  # noqa: PLC0415  only now, so that a fuzzer can instrument it

    if name == "record":
        return targets.make_record_target()
    if name == "filter":
        return targets.make_filter_target()
    return targets.make_tap_target(Path(tempfile.mkdtemp()))


def corpus(name: str) -> list[bytes]:
    """The committed inputs and those that were found here."""
    folders = (ROOT / "tests" / "fuzz" / "corpus" / name, KEPT / name)
    files = [file for folder in folders if folder.exists() for file in sorted(folder.iterdir())]
    return [file.read_bytes() for file in files]


def guided(name: str, runs: str) -> None:
    """Run atheris on one target in this process; it ends the process."""
    fuzzer = importlib.import_module("atheris")
    with fuzzer.instrument_imports(include=["streamwatch"], enable_loader_override=False):
        target = make(name)
    found = KEPT / name
    found.mkdir(parents=True, exist_ok=True)
    arguments = [sys.argv[0], f"-runs={runs}", "-max_len=2048", "-seed=6", "-timeout=10"]
    arguments += [f"-artifact_prefix={KEPT}/crash-{name}-", str(found)]
    arguments.append(str(ROOT / "tests" / "fuzz" / "corpus" / name))
    fuzzer.Setup(arguments, lambda data: target(data) and None)
    fuzzer.Fuzz()


def in_numbers(task: tuple[str, int, int]) -> dict[str, object]:
    """Mutations until so many were refused."""
    from tests.fuzz.mutations import mutated  # noqa: PLC0415

    name, wanted, seed = task
    target, seeds = make(name), corpus(name)
    rng = random.Random(seed)  # noqa: S311  inputs, no secret
    reasons: Counter[str] = Counter()
    refused, begun = 0, time.monotonic()
    while refused < wanted:
        data = mutated(rng.choice(seeds), seeds, rng)
        try:
            reason = target(data)
        except BaseException:
            (KEPT / f"crash-{name}-{seed}").write_bytes(data)
            raise
        reasons[reason] += 1
        refused += bool(reason)
    return {
        "target": name,
        "corpus": len(seeds),
        "tried": reasons.total(),
        "refused": refused,
        "right": reasons[""],
        "reasons": len(reasons) - 1,
        "commonest": [one for one in reasons.most_common(9) if one[0]],
        "seconds": round(time.monotonic() - begun, 1),
    }


def written(report: dict[str, object], results: list[dict[str, object]]) -> str:
    """The report for people."""
    lines = [
        "# Bad input",
        "",
        f"`{report['command']}`; {report['machine']}, Python {report['python']}.",
        f"Crashes, hangs and inputs without a reason: {report['crashes']}.",
        "",
        "| what | inputs to begin with | tried | refused with a reason | right | reasons | s |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in results:
        numbers = f"{one['corpus']} | {one['tried']:,} | {one['refused']:,} | {one['right']:,}"
        lines.append(f"| {one['target']} | {numbers} | {one['reasons']} | {one['seconds']} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Fuzz everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guided", type=int, default=20_000, help="runs of each target")
    parser.add_argument("--refused", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--target", help="only run atheris on this target, in this process")
    arguments = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    KEPT.mkdir(parents=True, exist_ok=True)
    if arguments.target:
        guided(arguments.target, str(arguments.guided))
    for name in SHARES:
        command = [sys.executable, __file__, "--target", name, "--guided", str(arguments.guided)]
        if arguments.guided and subprocess.run(command, check=False).returncode:  # noqa: S603
            print(f"{name}: a finding; its input is in {KEPT}", file=sys.stderr)  # noqa: T201
            return 1
    tasks = [
        (name, int(arguments.refused * share) + 1, seed)
        for seed, (name, share) in enumerate(SHARES.items())
    ]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.map(in_numbers, tasks, chunksize=1)
    report: dict[str, object] = {
        "command": f"python dev/fuzz.py --guided {arguments.guided} --refused {arguments.refused}",
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "crashes": 0,
        "results": results,
    }
    (arguments.out / "fuzz.json").write_text(json.dumps(report, indent=1) + "\n")
    (arguments.out / "fuzz.md").write_text(written(report, results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
