"""``streamwatch diagnose`` and ``evidence`` as an analyst uses them: a day of wrong heights."""

import json
import sqlite3
import zipfile
from pathlib import Path

import pytest
from tests.functional.command import streamwatch

FAULTS = ("stage-bug@shop-001:25:normalise/5.0.0", "inches@shop-002:25:0.5")
TAP = """\
event: widget-event
after: [decode, normalise]
columns: [height, height_unit, app_version]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four weeks of two shops, taken through the pipeline; both are wrong from day 25 on."""
    folder = tmp_path_factory.mktemp("diagnose")
    (folder / "tap_config").mkdir()
    (folder / "tap_config" / "heights.yaml").write_text(TAP)
    faults = [part for fault in FAULTS for part in ("--fault", fault)]
    made = streamwatch(
        folder, "simulate", "--shops", "2", "--days", "28", "--seed", "5", "--largest", "300",
        "--smallest", "200", *faults, "--out", "events.jsonl", "--labels", "labels.csv",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    taken = streamwatch(folder, "watch", "events.jsonl", "--stage-bugs", "labels.csv")
    assert taken.returncode == 1, taken.stderr
    return folder


def incident_of(folder: Path, shop: str) -> str:
    with sqlite3.connect(folder / "streamwatch.db") as database:
        query = (
            "SELECT id FROM incidents WHERE shop = ? AND kpi = 'mean.height' AND segment = 'all'"
        )
        return str(database.execute(query, (shop,)).fetchone()[0])


def diagnosis_of(folder: Path, *arguments: str) -> dict[str, object]:
    answer = streamwatch(folder, "diagnose", *arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told["schema_version"] == 1
    return dict(told)


def test_the_incident_itself_names_the_stage_and_the_unit(folder: Path) -> None:
    listed = json.loads(streamwatch(folder, "incidents", "list", "--json").stdout)
    heights = {
        one["key"]["shop"]: one
        for one in listed["incidents"]
        if one["key"]["kpi"] == "mean.height" and one["key"]["segment"] == "all"
    }
    assert heights["shop-001"]["origin"] == "normalise"
    assert heights["shop-002"]["origin"] == "client"
    assert heights["shop-002"]["hypothesis"].startswith("inches for centimetres")


def test_a_broken_stage_is_told_with_what_its_records_share(folder: Path) -> None:
    told = diagnosis_of(folder, incident_of(folder, "shop-001"))
    found = told["diagnosis"]
    assert isinstance(found, dict)
    assert found["origin"] == "normalise"
    shared = {(one["label"], one["value"]): one["support"] for one in found["shared"]}
    assert shared["app_version", "5.0.0"] == 1.0
    pairs = found["pairs"][0]["summary"]
    assert 0 < pairs["changed"] < pairs["records"]
    assert abs(pairs["ratio"] - 1 / 2.54) < 0.001
    assert found["first_bad"]["event_id"].startswith("shop-001-w")


def test_every_query_that_is_printed_runs_and_shows_it(folder: Path) -> None:
    told = diagnosis_of(folder, incident_of(folder, "shop-001"))
    queries = told["queries"]
    assert isinstance(queries, list)
    assert len(queries) >= 4
    with sqlite3.connect(folder / "streamwatch.db") as database:
        results = [database.execute(one["sql"]).fetchall() for one in queries]
    assert all(results)
    records = results[-1]
    assert any(abs(row[-1] / row[-2] - 1 / 2.54) < 0.001 for row in records if row[-1] and row[-2])


def test_people_read_origin_and_numbers(folder: Path) -> None:
    answer = streamwatch(folder, "diagnose", incident_of(folder, "shop-001"))
    assert answer.returncode == 0
    assert "origin     our stage normalise" in answer.stdout
    assert "app_version 5.0.0: 100% of the affected records" in answer.stdout
    assert "SELECT" in answer.stdout


def test_any_day_can_be_asked_about(folder: Path) -> None:
    usual = ("--shop", "shop-002", "--kpi", "mean.height", "--at", "2026-09-20T12:00")
    found = diagnosis_of(folder, *usual)["diagnosis"]
    assert isinstance(found, dict)
    assert found["origin"] == "undetermined"
    wrong = ("--shop", "shop-002", "--kpi", "mean.height", "--at", "2026-09-26T12:00")
    found = diagnosis_of(folder, *wrong)["diagnosis"]
    assert isinstance(found, dict)
    assert found["origin"] == "client"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope",), "there is no incident nope"),
        ((), "name an INCIDENT, or all of --shop, --kpi and --at"),
        (("--shop", "shop-001", "--kpi", "volume", "--at", "2026-09-20"), "--event"),
        (("--shop", "shop-001", "--kpi", "mean.height", "--at", "noon"), "write a time such as"),
        (
            ("--shop", "nobody", "--kpi", "mean.height", "--at", "2026-09-20"),
            "nothing is stored of widget-event of nobody",
        ),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(
    folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = streamwatch(folder, "diagnose", *arguments)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert answer.stdout == ""


def test_the_clients_pack_names_its_events_and_no_person(folder: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack.zip"
    answer = streamwatch(folder, "evidence", incident_of(folder, "shop-002"), "-o", str(pack))
    assert answer.returncode == 0, answer.stderr
    with zipfile.ZipFile(pack) as archive:
        texts = {name: archive.read(name).decode("latin-1") for name in archive.namelist()}
    assert "inches for centimetres" in texts["message.txt"]
    assert "shop-002-w" in texts["records.csv"]
    assert all("@shop-" not in text for text in texts.values())


def test_no_pack_is_made_of_our_own_fault(folder: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack.zip"
    answer = streamwatch(folder, "evidence", incident_of(folder, "shop-001"), "-o", str(pack))
    assert answer.returncode == 1
    assert "our stage normalise" in answer.stderr
    assert not pack.exists()
