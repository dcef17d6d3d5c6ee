"""What the incidents in a database would have told whom: pages, tickets, and what is only shown.

    streamwatch watch FILE --database sqlite:///year.db …
    python benchmarks/incidents_told.py NAME=year.db [NAME=other.db …] --out RESULT

Severities are those of the generated alert rules: a silence and a fault of an own stage page,
what a segment does is shown, what another incident covers is told by that one, all else is a
ticket.
"""

import argparse
import json
import sqlite3
from collections import Counter
from pathlib import Path

from machine import described, in_words

CLIENTS = ("", "client", "undetermined")
SEVERITIES = ("page", "ticket", "shown", "covered")
_COLUMNS = (
    "shop, event_type, kpi, segment, span, direction, since, value, expected, score, origin, "
    "part_of, reason"
)


def severity(incident: sqlite3.Row) -> str:
    """Who is told."""
    if incident["part_of"]:
        return "covered"
    if incident["segment"] != "all":
        return "shown"
    own_stage = incident["origin"] not in CLIENTS
    return "page" if own_stage or incident["kpi"] == "silence" else "ticket"


def incidents_of(database: Path) -> list[dict]:
    """All incidents, in the order of their beginning."""
    with sqlite3.connect(database) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(f"SELECT {_COLUMNS} FROM incidents ORDER BY since, id")
        return [{**row, "severity": severity(row)} for row in rows]


def by_kpi(found: list[dict]) -> Counter:
    """How many of each KPI's kind, event type, span and direction stand for themselves."""
    counts: Counter = Counter()
    for one in found:
        kind = ".".join(one["kpi"].split(".")[:2])
        own = one["severity"] != "covered"
        counts[f"{one['event_type']} {kind} {one['span']} {one['direction']}"] += own
    return counts


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, ["---"] * len(head), *rows])


def markdown(runs: dict[str, list[dict]], machine: str) -> str:
    """The runs beside each other, and the newest run's incidents one by one."""
    names = list(runs)
    severities = {name: Counter(one["severity"] for one in runs[name]) for name in names}
    kpis = {name: by_kpi(runs[name]) for name in names}
    newest = runs[names[-1]]
    all_kpis = sorted(
        set().union(*kpis.values()), key=lambda kpi: -max(k[kpi] for k in kpis.values())
    )
    rows = [["all", *(str(len(runs[name])) for name in names)]]
    rows += [[one, *(str(severities[name][one]) for name in names)] for one in SEVERITIES]
    told = [
        [
            one["since"][:16], one["severity"], one["shop"], f"{one['event_type']} {one['kpi']}",
            f"{one['value']:.4g}", f"{one['expected']:.4g}", f"{one['score']:.1f}", one["origin"],
        ]
        for one in newest
        if one["severity"] in ("page", "ticket")
    ]  # fmt: skip
    return "\n".join(
        [
            "# Incidents told of a year of real order lines\n",
            f"{machine}\n",
            _table(["incidents", *names], rows),
            "By KPI, those that stand for themselves:\n",
            _table(["KPI", *names], [[k, *(str(kpis[n][k]) for n in names)] for k in all_kpis]),
            f"All pages and tickets of {names[-1]}:\n",
            _table(
                ["since (UTC)", "told as", "shop", "KPI", "value", "expected", "score", "origin"],
                told,
            ),
        ]
    )


def main() -> None:
    """Read the databases and write the result as Markdown and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="NAME=DATABASE")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    pairs = [run.partition("=") for run in chosen.runs]
    runs = {name: incidents_of(Path(database)) for name, _, database in pairs}
    text = markdown(runs, in_words(described()))
    print(text)
    if chosen.out:
        chosen.out.with_suffix(".md").write_text(text)
        counts = {
            name: {**Counter(o["severity"] for o in found), "by KPI": by_kpi(found)}
            for name, found in runs.items()
        }
        chosen.out.with_suffix(".json").write_text(json.dumps(counts, indent=1) + "\n")


if __name__ == "__main__":
    main()
