"""`streamwatch init`, as a user runs it: what it writes loads, and `watch` runs with it."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.functional.command import streamwatch

from streamwatch.adapters.settings.loading import load_settings


def words(line: str) -> list[str]:
    return line.split()


def answer(folder: Path, *arguments: str) -> dict[str, Any]:
    done = streamwatch(folder, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def following(folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    """What the command answers that `init` says comes next."""
    program, *arguments = told["next"].split()
    assert program == "streamwatch"
    done = streamwatch(folder, *arguments, "--json")
    assert done.returncode in {0, 1}, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Simulated widget events, as a client with names of its own would send them, in inches."""
    done = streamwatch(
        tmp_path,
        *[
            "simulate",
            "--shops",
            "3",
            "--days",
            "6",
            "--largest",
            "150",
            "--seed",
            "5",
            "--out",
            "-",
        ],
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    values = [line["value"] for line in lines if line["topic"] == "widget-event"]
    renamed = [
        {
            "id": one["event_id"],
            "store": one["shop"],
            "meta": {"ts": one["time"], "version": one.get("app_version")},
            "customer": one.get("shopper"),
            "profile": {
                "heightIn": one.get("height") and one["height"] / 2.54,
                "sex": one.get("gender"),
            },
        }
        for one in values
    ]
    file = tmp_path / "client.jsonl"
    file.write_text("\n".join(map(json.dumps, renamed)) + "\n", encoding="utf-8")
    return file


def test_a_client_with_other_names_and_inches_is_read_after_init(events: Path) -> None:
    told = answer(events.parent, "init", events.name)
    (trial,) = told["trials"]
    assert trial["passed"] == trial["records"] > 500
    (source,) = load_settings(events.parent / "streamwatch.yaml", {}).sources
    assert source.fields["height"].unit == "in"
    assert source.fields["time"].path == "meta.ts"
    accounting = following(events.parent, told)["accounting"]["widget-event"]
    assert accounting["aggregated"] == accounting["records_in"] > 500


def test_orders_and_cancellations_of_one_csv_file_become_two_topics(tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311  # data for a test
    with (tmp_path / "orders.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "Country"]
        )
        for number in range(1_500):
            back = number % 25 == 0
            table.writerow(
                [
                    f"{'C' if back else ''}{9_000 + number}",
                    f"item-{chance.randrange(40)}",
                    -1 if back else chance.choice([1, 2, 6]),
                    f"2026-03-{1 + number // 60:02} {number % 24:02}:00:00",
                    f"{chance.uniform(1, 30):.2f}",
                    chance.choice(["France", "Spain"]),
                ]
            )
    told = answer(tmp_path, "init", "orders.csv", "--currency", "GBP")
    assert [Path(name).name for name in told["written"]] == ["streamwatch.yaml", "routes.yaml"]
    accounting = following(tmp_path, told)["accounting"]
    assert {topic: count["aggregated"] for topic, count in accounting.items()} == {
        "purchase": 1_440,
        "return": 60,
    }


def test_what_is_there_is_not_overwritten_unless_forced(events: Path) -> None:
    there = events.parent / "streamwatch.yaml"
    there.write_text("# mine\n", encoding="utf-8")
    done = streamwatch(events.parent, "init", events.name)
    assert done.returncode == 2
    assert "add --force" in done.stderr
    assert there.read_text(encoding="utf-8") == "# mine\n"
    assert streamwatch(events.parent, "init", events.name, "--force").returncode == 0
    assert "sources:" in there.read_text(encoding="utf-8")


def test_envelopes_of_a_simulation_become_its_three_topics(tmp_path: Path) -> None:
    streamwatch(
        tmp_path,
        *[
            "simulate",
            "--shops",
            "2",
            "--days",
            "5",
            "--largest",
            "90",
            "--seed",
            "2",
            "--out",
            "all.jsonl",
        ],
    )
    told = answer(tmp_path, "init", "all.jsonl", "--out", "own.yaml")
    assert {one["topic"]: one["event"] for one in told["proposal"]["sources"]} == {
        "widget-event": "widget-event",
        "purchase": "purchase",
        "return": "return",
    }
    assert all(trial["passed"] == trial["records"] for trial in told["trials"])
    assert "--settings own.yaml" in told["next"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["init"], "name what to look at"),
        (["init", "none.csv"], "there is no such file"),
        (["init", "-"], "needs a file"),
    ],
)
def test_what_cannot_be_looked_at_is_told(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = streamwatch(tmp_path, *arguments)
    assert (done.returncode, said in done.stderr) == (2, True)
