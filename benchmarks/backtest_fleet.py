"""What `streamwatch backtest` finds of simulated fleets with faults of every kind, and how soon.

Each seed is a fleet of its own. Two thirds of its shops get one fault each after six weeks, of the
kinds in turn, whatever their size; the others get none, and what is told of them is false. Events,
labels and scorecards go through the commands, as a user would run them; all seeds are then counted
together, incident by incident.

    python benchmarks/backtest_fleet.py --seeds 1 2 3 --out benchmarks/results
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

from machine import described, in_words
from svg import bars

from streamwatch.backtest.scorecard import delay_of
from streamwatch.backtest.sizes import order

FAULTS = (
    "silence@{shop}:{day}+2", "drop@{shop}:{day}+3:0.5", "surge@{shop}:{day}+2:3",
    "inches@{shop}:{day}:1", "inches@{shop}:{day}:0.05", "tenfold@{shop}:{day}:price/0.2",
    "missing-field@{shop}:{day}:height", "missing-field@{shop}:{day}:age/0.2",
    "sizes-lost@{shop}:{day}", "wrong-label@{shop}:{day}+5", "duplicate-file@{shop}:{day}",
)  # fmt: skip
"""One after the other; a shop has none or one. Of a stage's bug the events tell nothing."""

FIRST_DAY = 42
Card = dict[str, Any]


def faults_of(shops: int, days: int) -> list[str]:
    """The faults of a fleet: shops without any stand between, and the days differ."""
    made = []
    for number in range(1, shops + 1):
        if number % 3:
            kind = FAULTS[len(made) % len(FAULTS)]
            day = FIRST_DAY + number % max(days - FIRST_DAY - 6, 1)
            made.append(kind.format(shop=f"shop-{number:03d}", day=day))
    return made


def card_of(seed: int, asked: argparse.Namespace, folder: Path) -> tuple[Card, dict[str, Any]]:
    """The scorecard of a seed, and the whole answer of the command."""
    events, labels = folder / f"{seed}.jsonl", folder / f"{seed}.csv"
    given = chain.from_iterable(("--fault", one) for one in faults_of(asked.shops, asked.days))
    run(
        "simulate", "--shops", asked.shops, "--days", asked.days, "--seed", seed, "--largest",
        asked.largest, *given, "--out", events, "--labels", labels,
    )  # fmt: skip
    answer = json.loads(run("backtest", events, "--labels", labels, "--json"))
    events.unlink()
    return answer["scorecard"], answer


def run(*words: object) -> str:
    """A command of streamwatch; 1 tells findings."""
    command = [sys.executable, "-m", "streamwatch", *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{words[0]} ended with {done.returncode}")
    return done.stdout


def found(cards: list[Card], *names: str) -> dict[str, dict[str, Any]]:
    """Recall and delays of the faults of all seeds, by what the names say of a fault."""
    told, lost = defaultdict(list), defaultdict(int)
    for card in cards:
        for fault in card["told"]:
            told[", ".join(fault[name] for name in names)].append(fault["delay_hours"])
        for fault in card["missed"]:
            lost[", ".join(fault[name] for name in names)] += 1
    answer = {}
    for name in sorted(told.keys() | lost.keys(), key=order):
        delay = delay_of(hours * 3_600_000 for hours in told[name])
        faults = len(told[name]) + lost[name]
        answer[name] = {
            "faults": faults, "found": len(told[name]), "recall": len(told[name]) / faults,
            "median_hours": delay.median, "p95_hours": delay.p95,
        }  # fmt: skip
    return answer


def alarms(cards: list[Card], part: str) -> dict[str, dict[str, float]]:
    """Hits, alarms beside a fault and false ones of all seeds, by KPI or size."""
    summed: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in chain.from_iterable(card[part] for card in cards):
        for count in ("hits", "beside", "false", "months"):
            summed[one["name"]][count] += one[count]
    for counts in summed.values():
        counts["false_per_month"] = counts["false"] / counts["months"] if counts["months"] else 0.0
    return {name: dict(summed[name]) for name in sorted(summed, key=order)}


def whole(cards: list[Card]) -> dict[str, float]:
    """Precision and recall over all seeds."""
    counts = {name: sum(card[name] for card in cards) for name in ("hits", "beside", "false")}
    kpis = alarms(cards, "alarms_by_kpi").values()
    months = sum(one["months"] for one in kpis)
    faults = sum(card["faults"] for card in cards)
    return {
        **counts,
        "faults": faults,
        "precision": counts["hits"] / max(counts["hits"] + counts["false"], 1),
        "recall": sum(card["found"] for card in cards) / max(faults, 1),
        "kpi_months": months,
        "false_per_shop_month_and_kpi": counts["false"] / max(months, 1e-9),
    }


def report(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    total = result["whole"]
    head = (
        f"Seeds {', '.join(map(str, result['seeds']))}; {result['events']:,} events of "
        f"{result['shops']} shops each, {result['days']} days."
    )
    told = (
        f"Precision {total['precision']:.2f} ({total['hits']} hits, {total['false']} false, "
        f"{total['beside']} on another KPI of a shop during its fault), recall "
        f"{total['recall']:.2f} of {total['faults']} faults. False alarms: "
        f"{total['false_per_shop_month_and_kpi']:.5f} per shop-month and KPI "
        f"({total['kpi_months']:,.0f} of them)."
    )
    machine = result["machine"]
    lines = ["# `backtest` on simulated fleets with faults", "", f"`{machine['command']}`", ""]
    lines += [in_words(machine), "", head, "", told]
    for part, title in (
        ("by_kind", "fault"), ("by_size", "events a day"), ("by_kind_and_size", "fault, size"),
    ):  # fmt: skip
        lines += [
            "",
            f"| {title} | found | recall | median h | p95 h |",
            "|---|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {name} | {one['found']} of {one['faults']} | {one['recall']:.2f} | "
            f"{_hours(one['median_hours'])} | {_hours(one['p95_hours'])} |"
            for name, one in result[part].items()
        ]
    for part, title in (("alarms_by_kpi", "KPI"), ("alarms_by_size", "events a day")):
        lines += ["", f"| {title} | hits | beside | false | months | false a month |"]
        lines += ["|---|---:|---:|---:|---:|---:|"]
        lines += [
            f"| {name} | {one['hits']:.0f} | {one['beside']:.0f} | {one['false']:.0f} | "
            f"{one['months']:,.0f} | {one['false_per_month']:.4f} |"
            for name, one in result[part].items()
            if part != "alarms_by_kpi" or one["hits"] or one["false"]
        ]
    return "\n".join(lines) + "\n"


def _hours(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def plot(cards: list[Card]) -> str:
    """Recall of each kind, median over the seeds with the least and the most."""
    of_seeds = [found([card], "kind", "argument") for card in cards]
    names = sorted({name for seed in of_seeds for name in seed})
    rows = [(n, [100 * seed[n]["recall"] for seed in of_seeds if n in seed], True) for n in names]
    rows.sort(key=lambda row: -median(row[1]))
    return bars("Faults told by backtest, by kind", "% of the faults, each seed", rows)


def main() -> None:
    """Run it and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shops", type=int, default=72)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--largest", type=int, default=1_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda seed: card_of(seed, asked, Path(folder)), asked.seeds))
    cards = [card for card, _ in told]
    result = {
        "machine": described(), "seeds": asked.seeds, "shops": asked.shops, "days": asked.days,
        "events": sum(answer["lines"] for _, answer in told) // len(told),
        "faults": faults_of(asked.shops, asked.days), "whole": whole(cards),
        "by_kind": found(cards, "kind", "argument"), "by_size": found(cards, "size"),
        "by_kind_and_size": found(cards, "kind", "argument", "size"),
        "alarms_by_kpi": alarms(cards, "alarms_by_kpi"),
        "alarms_by_size": alarms(cards, "alarms_by_size"),
        "missed": [
            {"seed": seed, **fault}
            for seed, card in zip(asked.seeds, cards, strict=True)
            for fault in card["missed"]
        ],
        "false": [
            {"seed": seed, **{k: incident[k] for k in ("key", "since", "last_bucket", "reason")}}
            for seed, (_, answer) in zip(asked.seeds, told, strict=True)
            for incident in answer["incidents"]
            if incident["counted_as"] == "false"
        ],
    }  # fmt: skip
    text = report(result)
    sys.stdout.write(text)
    if asked.out:
        (asked.out / "backtest_fleet.json").write_text(json.dumps(result, indent=2) + "\n")
        (asked.out / "backtest_fleet.md").write_text(text)
        (asked.out / "backtest_fleet.svg").write_text(plot(cards))


if __name__ == "__main__":
    main()
