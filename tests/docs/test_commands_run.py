"""Commands that other pages show work where a reader has such files; services are tested apart."""

import csv
import gzip
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pages import ROOT, blocks

from streamwatch.cli.main import main

WHOLE = {"tutorials", "how-to"}  # run by test_pages_run.py
NEEDS = {
    "worker": "Kafka", "topics": "Kafka", "replay": "Kafka", "doctor": "Kafka", "demo": "Kafka",
    "web": "until it is stopped", "completion": "a home folder", "privacy": "a shop to forget",
    "taps reload": "a worker", "taps freeze": "a worker", "init --topic": "Kafka",
    "incidents ack": "an incident of that day",
    "backtest events.jsonl": "a minute; how-to/tune-sensitivity.md sweeps through less",
}  # fmt: skip
"""What the tests of these commands elsewhere have, and this one has not."""


def _shown() -> dict[str, list[list[str]]]:
    """Of every block without language, the commands that can be run here, as their words."""
    pages = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
    found = {}
    for page in (one for one in pages if one.parent.name not in WHOLE):
        bodies = [one.body for one in blocks(page.read_text("utf-8")) if one.language == ""]
        for number, body in enumerate(bodies):
            if commands := list(_commands(body)):
                found[f"{page.name}-{number}"] = commands
    return found


def _commands(body: str) -> Iterator[list[str]]:
    for line in body.replace("\\\n", " ").splitlines():
        if line.startswith("streamwatch "):
            words = shlex.split(re.sub(r"\s#.*", "", line))[1:]
            if words[0] not in NEEDS and " ".join(words[:2]) not in NEEDS:
                yield words


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages name, and a database with two incidents."""
    folder = tmp_path_factory.mktemp("workplace")
    here = Path.cwd()
    os.chdir(folder)
    try:
        Path("tap_config").mkdir()
        Path("tap_config/all.yaml").write_text("event: widget-event\nafter: [decode, normalise]\n")
        _code(
            "simulate", "--shops", "4", "--days", "52", "--largest", "200", "--seed", "7",
            "--start", "2026-10-01", "--fault", "stage-bug@shop-002:49:normalise/5.0.0",
            "--fault", "inches@shop-003:49", "--out", "events.jsonl", "--labels", "truth.csv",
        )  # fmt: skip
        events = Path("events.jsonl").read_bytes()
        Path("last_month.jsonl.gz").write_bytes(
            gzip.compress(events[: events.rfind(b"\n", 0, 10**6)])
        )
        _purchases(events.decode())
        days = [
            f"2026-{month:02}-{day:02},{100 + day}" for month in (1, 2, 3) for day in range(1, 29)
        ]
        for name in ("series.csv", "orders_per_day.csv"):
            Path(name).write_text("timestamp,value\n" + "\n".join(days) + "\n")
        Path("stricter.yaml").write_text(
            "sources:\n  - {topic: purchase, event: purchase, types: lenient}\n"
            "judging: {threshold: 6}\n"
        )
        assert _code("watch", "events.jsonl", "--stage-bugs", "truth.csv") == 1
    finally:
        os.chdir(here)
    return folder


def _code(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(str(ended.value.code or 0))


def _purchases(events: str) -> None:
    values = [json.loads(line)["value"] for line in events.splitlines() if '"purchase"' in line]
    keys = ["event_id", "shop", "time", "order_id", "product", "quantity", "price", "currency"]
    for name in ("purchases.csv", "orders.csv"):
        with Path(name).open("w", newline="") as file:
            table = csv.DictWriter(file, keys, extrasaction="ignore")
            table.writeheader()
            table.writerows(values)


def test_many_commands_are_shown() -> None:
    assert sum(map(len, _shown().values())) >= 20


@pytest.mark.parametrize("commands", _shown().values(), ids=_shown().keys())
def test_the_commands_of_a_block_work_one_after_the_other(
    commands: list[list[str]],
    workplace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(workplace, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    for words in commands:
        assert _code(*words) in {0, 1}, f"{words}: {capsys.readouterr().err}"
