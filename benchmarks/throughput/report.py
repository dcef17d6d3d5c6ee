"""The table and the plot of a benchmark of contenders."""

import json
import statistics
import sys
from pathlib import Path
from typing import Any, TypedDict

from contenders import CONTENDERS, LIVE_HOURS

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import in_words
from svg import bars

Run = dict[str, float]


class Result(TypedDict):
    """All figures of a benchmark, as the JSON file holds them."""

    machine: dict[str, Any]
    events: int
    runs: dict[str, list[Run]]
    missing: dict[str, str]


def write(result: Result, out: Path) -> None:
    """Write table, plot and all figures into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "throughput.md").write_text(table(result))
    (out / "throughput.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "throughput.svg").write_text(plot(result))


def rates(found: list[Run], seconds: str) -> list[float]:
    """Events a second of each run."""
    return [run["events"] / run[seconds] for run in found]


def table(result: Result) -> str:
    """Medians, spread, and how many times the whole path's rate each one's is."""
    ours = rates(result["runs"].get(CONTENDERS[0].name, []), "cpu_s")
    lines = [
        f"{result['events']:,} events, {len(ours)} rounds, one contender after the other;",
        in_words(result["machine"]),
        "",
        "| contender | events a CPU second | least to most | events a second | of whole path |",
        "|---|---:|---:|---:|---:|",
    ]
    for contender in CONTENDERS:
        found = result["runs"].get(contender.name)
        if not found:
            reason = result["missing"].get(contender.name, "not run")
            lines.append(f"| {contender.name} | {reason} | | | |")
            continue
        by_cpu, by_wall = rates(found, "cpu_s"), rates(found, "wall_s")
        share = ratio(by_cpu, ours)
        lines.append(
            f"| {contender.name} | {statistics.median(by_cpu):,.0f} | "
            f"{min(by_cpu):,.0f} to {max(by_cpu):,.0f} | {statistics.median(by_wall):,.0f} | "
            f"{share} |"
        )
    lines += [
        "",
        f"Events are spread over {LIVE_HOURS} hours of their own time; over two days where the row",
        f"says so, so that every shop and hour has about {result['events'] // (200 * 48)}.",
    ]
    return "\n".join(lines) + "\n"


def ratio(mine: list[float], ours: list[float]) -> str:
    """How many times ours; round by round where all took part, for neighbours in time compare."""
    if not ours:
        return ""
    if len(mine) == len(ours):
        found = statistics.median(one / base for one, base in zip(mine, ours, strict=True))
    else:
        found = statistics.median(mine) / statistics.median(ours)
    return f"{found:.2f}"


def plot(result: Result) -> str:
    """The rates as bars."""
    rows = [
        (one.name, rates(result["runs"][one.name], "cpu_s"), one.is_ours)
        for one in CONTENDERS
        if result["runs"].get(one.name)
    ]
    unit = "events per second of processor time: median, line from least to most"
    return bars("The same events, one process each", unit, rows)
