"""Tables and plots of what `scaling` measured, with the law that fits each curve."""

import statistics
from collections.abc import Iterable
from typing import Any

from machine import in_words
from svg import curves, law
from workload import SEED

Figures = dict[str, Any]

CURVES = (
    ("shops", "shops", "events a CPU second", "Throughput by shops, at 20,000 events/s"),
    ("bytes", "shops", "bytes an event", "Bytes written by shops, at 10,000 events/s"),
    ("partitions", "partitions", "events a CPU second", "Throughput by partitions, SQLite"),
    ("sizes", "size", "events a CPU second", "Throughput by size of an event, bytes"),
    ("kpis", "KPIs a shop", "events a CPU second", "Throughput by KPIs of a shop"),
    ("memory", "days", "resident bytes a shop", "Memory of a shop by days"),
    (
        "kafka-partitions",
        "partitions",
        "events a CPU second",
        "Throughput by partitions, Kafka and PostgreSQL",
    ),
    ("workers", "workers", "events a second", "Throughput by workers, two cores"),
    ("take-over", "workers", "assigned after s", "Take-over by workers, seconds"),
)
"""Part, what grows, what is told, title."""


def plots(found: Figures) -> dict[str, str]:
    """File name → SVG of every part that has points."""
    made = {}
    for part, across, up, title in CURVES:
        line = points(found.get(part, {}).values(), across, up)
        if len(line) > 1:
            words = f"{up}: x^{law(line):.2f}"
            made[f"scaling_{part.replace('-', '_')}.svg"] = curves(
                title, (across, up), {words: line}
            )
    return made


def points(measured: Iterable[Figures], across: str, up: str) -> list[tuple[float, float]]:
    """The curve's points; of several rounds the median."""
    by_place: dict[float, list[float]] = {}
    for one in measured:
        if across in one and up in one:
            by_place.setdefault(one[across], []).append(one[up])
    return [(x, statistics.median(ys)) for x, ys in sorted(by_place.items()) if x > 0]


def table(found: Figures) -> str:
    """All of it as Markdown."""
    parts = [f"# How it grows\n\nSeed of the events: {SEED}.\n"]
    for part, across, up, title in CURVES:
        measured = found.get(part)
        if not measured:
            continue
        machine = found["machines"][part]
        line = points(measured.values(), across, up)
        parts.append(f"\n## {title}\n\n`{machine['command']}`, {in_words(machine)}\n")
        if len(line) > 1:
            parts.append(f"\nLaw: {up} grow as {across} to the power of {law(line):.2f}.\n")
        parts.append(_rows(measured))
    if "workers" in found:
        parts.append(_ratios(found["workers"].values()))
    return "".join(parts)


def _rows(measured: dict[str, Figures]) -> str:
    names = [name for name in next(iter(measured.values())) if name != "microseconds"]
    lines = [f"\n| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for name, one in measured.items():
        cells = [_shown(one.get(column, "")) for column in names]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    if isinstance(value, int | float):
        return f"{value:,}"
    return str(value)


def _ratios(measured: Iterable[Figures]) -> str:
    runs: dict[int, list[Figures]] = {}
    for one in (one for one in measured if one["of which all read"]):
        runs.setdefault(one["workers"], []).append(one)
    lines = ["\n| workers | events/s of one | CPU of an event, of one |", "|---:|---:|---:|"]
    for number, those in sorted(runs.items()):
        pairs = list(zip(those, runs[1], strict=False))
        wall = [a["events a second"] / b["events a second"] for a, b in pairs]
        cpu = [b["events a CPU second"] / a["events a CPU second"] for a, b in pairs]
        shown = [
            f"{statistics.median(one):.2f} ({min(one):.2f} to {max(one):.2f})"
            for one in (wall, cpu)
        ]
        lines.append(f"| {number} | {shown[0]} | {shown[1]} |")
    return "\n".join(lines) + "\n"
