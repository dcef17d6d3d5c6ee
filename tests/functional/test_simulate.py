import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from streamwatch.cli.main import main

SMALL = ("simulate", "--shops", "3", "--days", "4", "--largest", "60", "--seed", "7")


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    code = ended.value.code
    assert isinstance(code, int)
    return code


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_it_writes_envelopes_by_arrival_and_says_what_to_do_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "events.jsonl"
    assert run(*SMALL, "--out", str(out)) == 0
    events = lines(out)
    assert {tuple(event) for event in events} == {("topic", "arrived", "value")}
    assert {event["topic"] for event in events} == {"widget-event", "purchase", "return"}
    assert [e["arrived"] for e in events] == sorted(e["arrived"] for e in events)
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{len(events):,} events" in said.err
    assert f"next: streamwatch watch {out}" in said.err
    assert list(tmp_path.iterdir()) == [out]


def test_the_same_seed_gives_the_same_file_compressed_or_not(tmp_path: Path) -> None:
    plain, again, packed, repacked = (
        tmp_path / name for name in ("a.jsonl", "b.jsonl", "a.jsonl.gz", "b.jsonl.gz")
    )
    for out in (plain, again, packed, repacked):
        assert run(*SMALL, "--out", str(out)) == 0
    assert plain.read_bytes() == again.read_bytes() == gzip.decompress(packed.read_bytes())
    assert packed.read_bytes() == repacked.read_bytes()


def test_a_dash_writes_the_events_to_standard_output(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    out = tmp_path / "events.jsonl"
    assert run(*SMALL, "--out", str(out)) == 0
    capfdbinary.readouterr()
    assert run(*SMALL, "--out", "-") == 0
    assert capfdbinary.readouterr().out == out.read_bytes()


def test_faults_go_into_the_data_and_their_truth_into_the_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, truth = tmp_path / "events.jsonl", tmp_path / "truth.csv"
    faults = ("--fault", "inches@shop-001:2", "--fault", "silence@shop-002:1")
    assert run(*SMALL, "--out", str(out), "--labels", str(truth), *faults) == 0
    with truth.open(encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    assert [row["kpi"] for row in labels][:2] == ["mean.height", "volume"]
    start, shop = labels[0]["start"], labels[0]["shop"]
    heights = [
        event["value"]["height"]
        for event in lines(out)
        if event["value"]["shop"] == shop
        and event["value"]["time"] >= start
        and "height" in event["value"]
    ]
    assert max(heights) < 90
    silent = [
        event
        for event in lines(out)
        if event["value"]["shop"] == "shop-002"
        and labels[1]["start"] <= event["value"]["time"] < labels[1]["end"]
    ]
    assert silent == []
    assert "the truth about 2 fault(s)" in capsys.readouterr().err


def test_json_describes_what_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "events.jsonl"
    assert run(*SMALL, "--out", str(out), "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema_version"] == 1
    assert answer["events"] == len(lines(out)) == sum(answer["topics"].values())
    assert [shop["shop"] for shop in answer["shops"]] == ["shop-001", "shop-002", "shop-003"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fault", "inchs@shop-001:2", "--labels", "t.csv"), "did you mean 'inches'"),
        (("--fault", "inches@shop-009:2", "--labels", "t.csv"), "there is shop-001 to shop-003"),
        (("--fault", "inches@shop-001:4", "--labels", "t.csv"), "the days are 0 to 3"),
        (("--fault", "inches@shop-001:2"), "--labels FILE"),
        (("--scale", "-1"), "scale must be above 0"),
        (("--scale", "inf"), "at most"),
        (("--shops", "0"), "--shops"),
        (("--start", "yesterday"), "--start"),
        (("--labels", "none/t.csv"), "create it first"),
        (("--labels", "events.jsonl"), "same file"),
        (("--out", "events.parquet"), ".jsonl"),
        (("--out", "-", "--json"), "--json needs --out FILE"),
        (("--out", "none/events.jsonl"), "create it first"),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_written(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*SMALL, "--out", "events.jsonl", *arguments) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_help_shows_every_kind_of_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("simulate", "--help") == 0
    said = capsys.readouterr().out
    assert "stage-bug@shop-002:57:normalise/5.0.0" in said
    assert "duplicate-file@shop-004:40" in said
