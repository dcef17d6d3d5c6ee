"""`streamwatch backtest` as a user runs it."""

import json
from pathlib import Path

import pytest
from tests.functional.command import Run

from streamwatch.cli.main import main

FAULTS = ("silence@shop-001:21+2", "inches@shop-002:20", "surge@shop-003:22+2:4")


@pytest.fixture(name="events", scope="module")
def _events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated fleet with three faults, and their labels beside it."""
    folder = tmp_path_factory.mktemp("fleet")
    faults = [part for fault in FAULTS for part in ("--fault", fault)]
    with pytest.raises(SystemExit):
        main([
            "simulate", "--shops", "3", "--days", "26", "--largest", "200", "--smallest", "80",
            "--seed", "5", *faults,
            "--out", str(folder / "events.jsonl"), "--labels", str(folder / "truth.csv"),
        ])  # fmt: skip
    return folder / "events.jsonl"


def labels_of(events: Path) -> str:
    return str(events.with_name("truth.csv"))


def test_the_scorecard_finds_the_faults_and_says_how_soon(run: Run, events: Path) -> None:
    answer = run("backtest", str(events), "--labels", labels_of(events), "--json")
    card = answer.json["scorecard"]
    assert card["faults"] == len(FAULTS)
    found = {one["name"]: one for one in card["by_kind"]}
    assert found["silence"]["found"] == 1
    assert found["inches"]["found"] == 1
    assert 0 < found["inches"]["delay_hours"]["median"] < 48
    assert card["shops"] == 3
    assert card["hits"] + card["beside"] + card["false"] == card["incidents"]
    assert answer.code == (1 if card["missed"] or card["false"] else 0)


def test_it_writes_nothing_and_gives_the_same_again(run: Run, events: Path) -> None:
    first = run("backtest", str(events), "--json").json
    assert list(Path().iterdir()) == []
    again = run("backtest", str(events), "--json").json
    assert first["scorecard"] == again["scorecard"]
    assert [one["id"] for one in first["incidents"]] == [one["id"] for one in again["incidents"]]


def test_files_of_single_topics_are_merged_by_arrival(
    run: Run, events: Path, tmp_path: Path
) -> None:
    lines = events.read_text().splitlines(keepends=True)
    parts: dict[str, list[str]] = {}
    for line in lines:
        parts.setdefault(json.loads(line)["topic"], []).append(line)
    files = []
    for topic, part in parts.items():
        (tmp_path / f"{topic}.jsonl").write_text("".join(part))
        files.append(str(tmp_path / f"{topic}.jsonl"))
    whole = run("backtest", str(events), "--json").json
    split = run("backtest", *files, "--json").json
    assert split["lines"] == whole["lines"] == len(lines)
    assert split["scorecard"] == whole["scorecard"]


def test_the_sweep_shows_what_other_thresholds_would_have_given(run: Run, events: Path) -> None:
    answer = run("backtest", str(events), "--labels", labels_of(events), "--sweep", "--json").json
    thresholds = [one["value"] for one in answer["sweep"]]
    incidents = [one["scorecard"]["incidents"] for one in answer["sweep"]]
    assert thresholds == sorted(thresholds)
    assert incidents[0] > incidents[-1]
    configured = [one for one in answer["sweep"] if one["scorecard"] == answer["scorecard"]]
    assert configured


def test_a_trial_of_the_sweep_says_what_a_run_with_that_threshold_says(
    run: Run, events: Path
) -> None:
    swept = run("backtest", str(events), "--sweep", "--json").json["sweep"]
    Path("strict.yaml").write_text("judging:\n  threshold: 8\n")
    strict = run("backtest", str(events), "--settings", "strict.yaml", "--json").json
    (trial,) = [one for one in swept if one["value"] == 8]
    assert trial["scorecard"] == strict["scorecard"]


def test_the_sweep_goes_over_other_settings_too(run: Run, events: Path) -> None:
    answer = run("backtest", str(events), "--sweep-over", "volume_effect", "--json").json
    assert {one["setting"] for one in answer["sweep"]} == {"volume_effect"}
    told = [one["scorecard"]["incidents"] for one in answer["sweep"]]
    assert told[0] >= told[-1]
    assert answer["scorecard"] in [one["scorecard"] for one in answer["sweep"]]


def test_people_get_tables_on_standard_output_and_hints_on_standard_error(
    run: Run, events: Path
) -> None:
    answer = run("backtest", str(events))
    assert "3 shops judged" in answer.out
    assert "widget-event volume by day" in answer.out
    assert "without --labels every incident is called false" in answer.err
    assert "--sweep" in answer.err


def test_an_empty_file_is_told(run: Run) -> None:
    Path("empty.jsonl").touch()
    answer = run("backtest", "empty.jsonl")
    assert answer.code == 0
    assert "no line to read" in answer.err


def test_a_wrong_label_file_or_a_missing_file_is_refused_before_anything_is_read(
    run: Run, events: Path
) -> None:
    Path("truth.csv").write_text("fault,shop\n")
    answer = run("backtest", str(events), "--labels", "truth.csv")
    assert answer.code == 2
    assert "truth.csv:1: no column `event_type`" in answer.err
    assert run("backtest", "nowhere.jsonl").code == 2
