"""What a user meets before Kafka is asked anything, and when it does not answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = "127.0.0.1:1"


def streamwatch(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from streamwatch.cli.main import main; main()", *arguments],
        cwd=folder,
        env={**os.environ, "STREAMWATCH_KAFKA_BOOTSTRAP": NOBODY},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(name="events")
def _events(tmp_path: Path) -> Path:
    (tmp_path / "events.jsonl").write_text('{"topic":"purchase","arrived":1,"value":{}}\n')
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [("replay", "events.jsonl"), ("topics", "create"), ("topics", "check", "--json")],
)
def test_without_kafka_it_says_so_in_one_sentence_and_what_to_do(
    events: Path, arguments: tuple[str, ...]
) -> None:
    run = streamwatch(*arguments, folder=events)
    assert run.returncode == 3
    assert run.stdout == ""
    assert run.stderr == (
        f"streamwatch: Kafka at {NOBODY} does not answer: start it, or set "
        "STREAMWATCH_KAFKA_BOOTSTRAP\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("replay", "none.jsonl"), "none.jsonl: there is no such file"),
        (("replay", "events.jsonl", "none.jsonl"), "none.jsonl: there is no such file"),
        (("replay", "."), ".: is a folder"),
        (("replay", "events.jsonl", "--routes", "none.yaml"), "none.yaml"),
        (("replay", "events.jsonl", "--speed", "fast"), "neither a factor above 0 nor max"),
        (("replay", "events.jsonl", "--speed", "-1"), "neither a factor above 0 nor max"),
        (("replay", "events.jsonl", "--format", "xml"), "'xml' is not one of"),
        (("replay",), "Missing argument 'FILE...'"),
        (("topics", "create", "--partitions", "0"), "0 is not in the range"),
    ],
)
def test_a_wrong_call_ends_with_2_and_names_what_is_wrong(
    events: Path, arguments: tuple[str, ...], message: str
) -> None:
    run = streamwatch(*arguments, folder=events)
    assert run.returncode == 2
    assert message in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize("arguments", [("replay",), ("topics",), ("topics", "create")])
def test_help_shows_examples(events: Path, arguments: tuple[str, ...]) -> None:
    run = streamwatch(*arguments, "--help", folder=events)
    assert run.returncode == 0
    assert f"streamwatch {arguments[0]}" in run.stdout.split("Examples:")[1]


def test_a_bootstrap_that_is_no_address_is_a_mistake_of_configuration(events: Path) -> None:
    (events / "streamwatch.yaml").write_text("kafka:\n  bootstrap: here:there\n")
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from streamwatch.cli.main import main; main()",
            "topics",
            "check",
        ],
        cwd=events,
        env={k: v for k, v in os.environ.items() if k != "STREAMWATCH_KAFKA_BOOTSTRAP"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert "streamwatch.yaml:2" in run.stderr
    assert "host:port" in run.stderr


def test_the_json_lines_of_this_test_are_what_simulate_writes(events: Path) -> None:
    run = streamwatch(
        "simulate", "--shops", "1", "--days", "1", "--largest", "5", "--out", "-", folder=events
    )
    first = json.loads(run.stdout.splitlines()[0])
    assert set(first) == {"topic", "arrived", "value"}
