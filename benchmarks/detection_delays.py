"""How soon faults are told: wrong units, missing fields, silence; on simulated shops.

python benchmarks/detection_delays.py --seeds 1 2 3 --out benchmarks/results
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from detection.openings import false_losses, false_units, inches, missing, wrong_unit
from detection.silences import delays, gap_rule
from machine import described, in_words

WANTED_UNITS = {500: "0.70", 5_000: "1.0"}
WANTED_RECORDS = {"a field vanishes": "10", "20 % missing": "45", "all in inches": "10"}
SILENCES = (
    ("5,000 a day", 5_000.0, 0, "20 min"),
    ("200 a day", 200.0, 0, "3 h"),
    ("20 a day", 20.0, 0, "20 h"),
    ("3 a day", 3.0, 0, "no better than a fixed gap"),
    ("200 a day, a file a day", 200.0, 1, "-"),
    ("200 a day, a file a week", 200.0, 7, "42 h after it is due"),
    ("20 a day, a file a week", 20.0, 7, "42 h after it is due"),
)


RULE = "rule: longest gap of eight weeks"
UNIT_COLUMNS = (
    "inches in 1 % of a day", "wanted", "found and named", "clean days told",
    "mean beyond 3 sigma: found", "clean days told",
)  # fmt: skip
SILENCE_COLUMNS = (
    "shops", "wanted median", "told", "median", "95 % within", "false alarms a shop-month",
    "longest gap of eight weeks",
)  # fmt: skip
ABOUT_RULE = (
    "The last column is the median of the longest gaps that the shops made by themselves: a rule "
    "that waits for less alarms at least every eight weeks a shop."
)


def together(results: list[dict]) -> dict:
    """The mean over the seeds; of a number that one of them lacks, none."""
    return {
        name: None
        if any(one[name] is None for one in results)
        else round(float(np.mean([one[name] for one in results])), 5)
        for name in results[0]
    }


def run(seeds: list[int], shops: int) -> dict:
    """All of it."""
    result: dict = {"inches in 1 %": {}, "a field vanishes": {}, "20 % missing": {}, "silence": {}}
    for n in WANTED_UNITS:
        print(f"units, {n} a day …", file=sys.stderr)
        few = max(shops // (1 if n < 1_000 else 4), 2)
        result["inches in 1 %"][str(n)] = together([inches(s, n, 0.01, few) for s in seeds])
    result["a field vanishes"] = together([missing(s, 1.0) for s in seeds])
    result["20 % missing"] = together([missing(s, 0.2) for s in seeds])
    result["all in inches"] = together([wrong_unit(s, 1) for s in seeds])
    result["false units in a million clean records"] = sum(
        false_units(s, flush, 250_000 // len(seeds)) for s in seeds for flush in (1, 5, 20, 200)
    )
    result["false losses in a million clean records"] = sum(
        false_losses(s, 1_000_000 // len(seeds)) for s in seeds
    )
    for name, size, every, wanted in SILENCES:
        print(f"silence, {name} …", file=sys.stderr)
        few = max(shops // (4 if size > 1_000 else 1), 2)
        row = together([delays(s, size, few, every) for s in seeds])
        if not every:
            row[RULE] = together([gap_rule(s, size, few) for s in seeds])
        result["silence"][name] = {"wanted median": wanted, **row}
    return result


def table(result: dict, command: str) -> str:
    """The result as Markdown."""
    units = [
        [f"{int(n):,} events", WANTED_UNITS[int(n)]]
        + [f"{row[name]:.3f}" for name in list(row)[1:]]
        for n, row in result["inches in 1 %"].items()
    ]
    fields = [
        [name, wanted, f"{result[name]['median']:.0f}", f"{result[name]['95 % within']:.0f}"]
        for name, wanted in (
            ("a field vanishes", "10"),
            ("20 % missing", "45"),
            ("all in inches", "10"),
        )
    ]
    silences = []
    for name, row in result["silence"].items():
        rule = row.get(RULE)
        silences.append([
            name, row["wanted median"], f"{row['told']:.0%}", _hours(row["median hours"]),
            _hours(row["95 % within"]), f"{row['false alarms a shop-month']:.3f}",
            _hours(rule["median hours"]) if rule else "-",
        ])  # fmt: skip
    false = result["false losses in a million clean records"]
    wrong = result["false units in a million clean records"]
    parts = [
        "# How soon faults are told",
        f"`{command}`, {in_words(described())}.",
        _rows(UNIT_COLUMNS, units),
        _rows(("records until it is told", "wanted", "median", "95 % within"), fields),
        f"In a million clean records a loss was told {false} times, a wrong unit {wrong} times.",
        "Silence: from the last record (files: from when the next one was due) until it is told.",
        _rows(SILENCE_COLUMNS, silences),
        ABOUT_RULE,
    ]
    return "\n\n".join(parts) + "\n"


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _hours(hours: float | None) -> str:
    if hours is None:
        return "-"
    return f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.1f} h"


def main() -> None:
    """Run it and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--shops", type=int, default=24)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    command = " ".join(["python", "benchmarks/detection_delays.py", *sys.argv[1:]])
    result = run(chosen.seeds, chosen.shops)
    text = table(result, command)
    print(text)
    if chosen.out:
        facts = {**described(), **result}
        (chosen.out / "detection_delays.json").write_text(json.dumps(facts, indent=2) + "\n")
        (chosen.out / "detection_delays.md").write_text(text)


if __name__ == "__main__":
    main()
