"""What a user meets before Kafka is asked anything, and when it does not answer."""

import json
from pathlib import Path

import pytest
from tests.functional.command import Run

NOBODY = "127.0.0.1:1"


@pytest.fixture(name="without_kafka")
def _without_kafka(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command beside a file of events, where no Kafka answers."""
    monkeypatch.setenv("STREAMWATCH_KAFKA_BOOTSTRAP", NOBODY)
    (tmp_path / "events.jsonl").write_text('{"topic":"purchase","arrived":1,"value":{}}\n')
    return run


@pytest.mark.parametrize(
    "arguments",
    [("replay", "events.jsonl"), ("topics", "create"), ("topics", "check", "--json")],
)
def test_without_kafka_it_says_so_in_one_sentence_and_what_to_do(
    without_kafka: Run, arguments: tuple[str, ...]
) -> None:
    answer = without_kafka(*arguments)
    assert answer.code == 3
    assert answer.out == ""
    assert answer.err == (
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
    without_kafka: Run, arguments: tuple[str, ...], message: str
) -> None:
    answer = without_kafka(*arguments)
    assert answer.code == 2
    assert message in answer.err
    assert answer.out == ""


@pytest.mark.parametrize("arguments", [("replay",), ("topics",), ("topics", "create")])
def test_help_shows_examples(without_kafka: Run, arguments: tuple[str, ...]) -> None:
    answer = without_kafka(*arguments, "--help")
    assert answer.code == 0
    assert f"streamwatch {arguments[0]}" in answer.out.split("Examples:")[1]


def test_a_bootstrap_that_is_no_address_is_a_mistake_of_configuration(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "streamwatch.yaml").write_text("kafka:\n  bootstrap: here:there\n")
    answer = run("topics", "check")
    assert answer.code == 2
    assert "streamwatch.yaml:2" in answer.err
    assert "host:port" in answer.err


def test_the_json_lines_of_this_test_are_what_simulate_writes(without_kafka: Run) -> None:
    answer = without_kafka(
        "simulate", "--shops", "1", "--days", "1", "--largest", "5", "--out", "-"
    )
    first = json.loads(answer.out.splitlines()[0])
    assert set(first) == {"topic", "arrived", "value"}
