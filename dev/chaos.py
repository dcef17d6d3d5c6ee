# ruff: noqa: INP001  a program, no package
"""Faults by the hundred: trials of many seeds, and a report that adds up what came of them.

Usage: ``python dev/chaos.py [--faults 500] [--trial 40] [--seed 100] [--out FOLDER]``.
Each trial is a scene of its own. A report that exists is continued, so a run can be broken off;
``--trials 1`` makes one trial and stops.
"""

import argparse
import contextlib
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.chaos.oracle import Damage  # noqa: E402
from tests.chaos.schedule import CATALOGUE, Round  # noqa: E402
from tests.chaos.trial import Trial, try_faults  # noqa: E402

LARGEST = 300
"""Records a day of the largest shop."""


class Failed(msgspec.Struct, frozen=True):
    """A trial that did not come to its end: a finding, whatever the reason."""

    seed: int
    why: str


class Report(msgspec.Struct):
    """All trials so far."""

    command: str
    machine: str
    versions: dict[str, str]
    trials: list[Trial] = []
    failed: list[Failed] = []

    @property
    def faults(self) -> int:
        """How many faults were injected."""
        return sum(trial.faults for trial in self.trials)


def new_report(arguments: argparse.Namespace) -> Report:
    """A report of nothing yet."""
    return Report(
        command=f"python dev/chaos.py --faults {arguments.faults} --trial {arguments.trial} "
        f"--seed {arguments.seed}",
        machine=f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        versions={
            "python": platform.python_version(),
            **{name: version(name) for name in ("faust-streaming", "aiokafka", "psycopg")},
        },
    )


def one_trial(arguments: argparse.Namespace, seed: int) -> Trial | Failed:
    """One trial in a temporary folder."""
    jars = ROOT / ".local" / "jars"
    with tempfile.TemporaryDirectory(prefix="streamwatch-chaos-") as folder:
        try:
            return try_faults(
                Path(folder), jars, seed, list(CATALOGUE), arguments.trial, LARGEST, tell
            )
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs into the report
            return Failed(seed, f"{type(error).__name__}: {str(error)[:800]}")


def tell(one: Round) -> None:
    """A line for each round."""
    print(f"  {', '.join(one.faults)}: back after {one.recovery:.1f} s", file=sys.stderr)  # noqa: T201


def written(report: Report) -> str:
    """The report for people."""
    rounds = [one for trial in report.trials for one in trial.rounds]
    times: dict[str, list[float]] = defaultdict(list)
    for one in rounds:
        for name in one.faults:
            times[name].append(one.recovery)
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    lines = [
        "# Faults, and what they cost",
        "",
        f"`{report.command}`; {report.machine}, shared with other work; {versions}.",
        "One broker, one PostgreSQL, three workers under a supervisor; session timeout 3 s.",
        "",
        "| what | how much |",
        "|---|---|",
    ]
    lines += [f"| {name} | {value} |" for name, value in totals(report.trials, rounds)]
    lines += [f"| trials that did not come to their end | {len(report.failed)} |", ""]
    lines += ["| fault | times | longest until all was in the database, s |", "|---|---|---|"]
    lines += [f"| {name} | {len(one)} | {max(one):.1f} |" for name, one in sorted(times.items())]
    lines += ["", *(f"- seed {one.seed} did not end: {one.why}" for one in report.failed)]
    return "\n".join(lines).rstrip() + "\n"


def totals(trials: Sequence[Trial], rounds: Sequence[Round]) -> list[tuple[str, str]]:
    """What is added up over the trials."""
    seeds = [trial.seed for trial in trials]
    waits = sorted(one.recovery for one in rounds)
    worst = max(rounds, key=lambda one: one.recovery)
    faults = sum(trial.faults for trial in trials)
    differ = sum(trial.readings_differ for trial in trials)
    readings = sum(trial.readings for trial in trials)
    changed = sum(trial.incidents_differ for trial in trials)
    incidents = sum(trial.incidents for trial in trials)
    restarts = sum(trial.restarts for trial in trials)
    stuck = sum(trial.ended_as_stuck for trial in trials)
    middle, most = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
    return [
        ("trials, each with a seed of its own", f"{len(trials)} ({min(seeds)} to {max(seeds)})"),
        ("faults injected, up to three at once", f"{faults} in {len(rounds)} rounds"),
        ("records sent meanwhile", f"{sum(trial.records for trial in trials):,}"),
        ("lost", str(sum(trial.damage.lost for trial in trials))),
        ("doubled", str(sum(trial.damage.doubled for trial in trials))),
        ("rows and log lines that hold an address", str(sum(t.damage.leaked for t in trials))),
        ("kinds of sums or rows that are not right", str(sum(len(t.damage.wrong) for t in trials))),
        (
            "readings of closed days that differ from a run without faults",
            f"{differ} of {readings:,}",
        ),
        ("incidents that differ from it", f"{changed} of {incidents}"),
        ("workers started again", f"{restarts}, {stuck} of them since liveness was red"),
        ("from a round's end until all was in", f"median {middle:.1f} s, 95 % within {most:.1f} s"),
        ("longest outage after the faults", f"{worst.recovery:.1f} s ({', '.join(worst.faults)})"),
    ]


def is_clean(trial: Trial) -> bool:
    """Whether nothing at all is wrong."""
    harmed = trial.damage != Damage(0, 0, 0)
    return not (harmed or trial.readings_differ or trial.incidents_differ)


def main() -> int:
    """Make trials until enough faults were injected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--trial", type=int, default=40, help="faults of one trial")
    parser.add_argument("--trials", type=int, default=10**6, help="most trials of this run")
    parser.add_argument("--seed", type=int, default=100, help="of the first trial")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    arguments = parser.parse_args()
    file = arguments.out / "chaos.json"
    report = new_report(arguments)
    with contextlib.suppress(FileNotFoundError):
        report = msgspec.json.decode(file.read_bytes(), type=Report)
    made = 0
    while report.faults < arguments.faults and made < arguments.trials:
        seed = arguments.seed + len(report.trials) + len(report.failed)
        begun = time.monotonic()
        print(f"trial {seed}", file=sys.stderr)  # noqa: T201
        done = one_trial(arguments, seed)
        if isinstance(done, Trial):
            report.trials.append(done)
        else:
            report.failed.append(done)
        made += 1
        file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
        if report.trials:
            file.with_suffix(".md").write_text(written(report))
        print(f"  {time.monotonic() - begun:.0f} s, {report.faults} faults so far", file=sys.stderr)  # noqa: T201
    return 0 if not report.failed and all(map(is_clean, report.trials)) else 1


if __name__ == "__main__":
    sys.exit(main())
