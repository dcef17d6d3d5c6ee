"""`streamwatch doctor`, as a user runs it."""

import json
from pathlib import Path

from tests.functional.command import streamwatch

SETTINGS = """\
database: sqlite:///own.db
kafka: {bootstrap: "127.0.0.1:9"}
metrics_port: 0
shops: {default: {timezone: Europe/Berlin}}
"""


def test_all_is_well_after_the_commands_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text(SETTINGS, encoding="utf-8")
    areas = ("doctor", "--only", "configuration", "--only", "database")
    before = streamwatch(tmp_path, *areas)
    assert before.returncode == 1
    assert "do:  run: streamwatch db upgrade" in before.stdout
    assert not (tmp_path / "own.db").exists()
    assert streamwatch(tmp_path, "db", "upgrade").returncode == 0
    after = streamwatch(tmp_path, *areas)
    assert (after.returncode, after.stdout) == (0, "")
    assert "checks:" in after.stderr


def test_what_does_not_answer_is_exit_code_3_and_told_to_machines(tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text(SETTINGS, encoding="utf-8")
    done = streamwatch(tmp_path, "doctor", "--only", "kafka", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["schema_version"], answer["ok"]) == (3, 1, False)
    states = {one["check"]: one["state"] for one in answer["results"]}
    assert states["reachable"] == "error"
    assert states["topics-missing"] == "unknown"


def test_a_wrong_configuration_comes_first_and_fine_checks_are_told_on_request(
    tmp_path: Path,
) -> None:
    (tmp_path / "streamwatch.yaml").write_text(SETTINGS, encoding="utf-8")
    told = streamwatch(
        tmp_path, "doctor", "--only", "configuration", "--all", STREAMWATCH_KAFKA_GRUP="x"
    )
    assert told.returncode == 1
    assert "STREAMWATCH_KAFKA_GRUP is not known; did you mean" in told.stdout
    assert "fine: only its owner may read the master key" in told.stdout
    (tmp_path / "streamwatch.yaml").write_text("kafka: {grup: x}\n", encoding="utf-8")
    assert streamwatch(tmp_path, "doctor").returncode == 2
