"""`streamwatch config` and `streamwatch taps`, as a user runs them."""

import json
from pathlib import Path

import pytest
from tests.functional.command import Run, streamwatch

TAP = "event: return\nafter: [decode]\n"
TEST = "tests:\n- {name: t, event: {event_id: a, shop: s}, taken: true}\n"
ADDRESS = "postgresql+psycopg://ann:hunter2@db/x"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "tap_config").mkdir()
    return tmp_path


def test_in_an_empty_folder_the_defaults_are_right(run: Run) -> None:
    done = run("config", "check")
    assert (done.code, done.err) == (0, "")
    assert "built-in defaults" in done.out


def test_a_mistake_is_told_with_its_place_and_exit_code_2(run: Run, folder: Path) -> None:
    (folder / "streamwatch.yaml").write_text("kafka: {}\nsorces: []\n", encoding="utf-8")
    done = run("config", "check")
    assert (done.code, done.out) == (2, "")
    assert "streamwatch.yaml:2:1: unknown key `sorces`; did you mean `sources`?" in done.err


def test_machines_get_the_mistakes_as_json(run: Run, folder: Path) -> None:
    (folder / "own.yaml").write_text("sorces: []\nmetrics_port: x\n", encoding="utf-8")
    done = run("config", "check", "own.yaml", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["schema_version"], answer["ok"]) == (2, 1, False)
    assert [(one["file"], one["line"]) for one in answer["problems"]] == [
        ("own.yaml", 1),
        ("own.yaml", 2),
    ]


def test_the_check_covers_the_taps(run: Run, folder: Path) -> None:
    (folder / "tap_config" / "a.yaml").write_text("event: return\n", encoding="utf-8")
    done = run("config", "check")
    assert done.code == 2
    assert "tap_config/a.yaml:1:1: the file lacks `after`" in done.err


def test_a_misspelt_variable_is_told_and_does_no_harm(tmp_path: Path) -> None:
    done = streamwatch(tmp_path, "config", "check", STREAMWATCH_METRICS_PRT="1")
    assert done.returncode == 0
    assert "did you mean `STREAMWATCH_METRICS_PORT`?" in done.stderr


def test_what_is_shown_has_the_environment_in_it_and_no_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMWATCH_DATABASE", ADDRESS)
    monkeypatch.setenv("STREAMWATCH_METRICS_PORT", "7")
    for arguments in (("config", "show"), ("config", "show", "--json")):
        done = run(*arguments)
        assert done.code == 0
        assert "postgresql+psycopg://***@db/x" in done.out
        assert "hunter2" not in done.out + done.err


def test_the_schema_is_json(run: Run) -> None:
    for arguments in (("config", "schema"), ("config", "schema", "--taps")):
        done = run(*arguments)
        assert json.loads(done.out)["additionalProperties"] is False


def test_taps_are_listed(run: Run, folder: Path) -> None:
    (folder / "tap_config" / "a.yaml").write_text(TAP + TEST, encoding="utf-8")
    listed = run("taps", "list")
    assert listed.out.split()[-7:] == ["a", "return", "decode", "all", "100%", "30d", "1"]
    answer = json.loads(run("taps", "list", "--json").out)
    assert answer["taps"]["a"]["after"] == ["decode"]


def test_lint_tells_findings_with_exit_code_1(run: Run, folder: Path) -> None:
    file = folder / "tap_config" / "a.yaml"
    file.write_text(TAP, encoding="utf-8")
    done = run("taps", "lint")
    assert done.code == 1
    assert done.out.startswith("tap_config/a.yaml:1:1: tap a has no tests")
    file.write_text(TAP + TEST, encoding="utf-8")
    assert run("taps", "lint").code == 0


def test_lint_tells_mistakes_with_exit_code_2(run: Run, folder: Path) -> None:
    (folder / "tap_config" / "a.yaml").write_text(TAP + "sampl: 1\n", encoding="utf-8")
    done = run("taps", "lint", "--json")
    answer = json.loads(done.out)
    assert done.code == 2
    assert answer["problems"][0]["text"] == "unknown key `sampl`; did you mean `sample`?"


def test_tests_inside_taps_are_run(run: Run, folder: Path) -> None:
    file = folder / "other" / "a.yaml"
    file.parent.mkdir()
    file.write_text(TAP + TEST, encoding="utf-8")
    done = run("taps", "test", "--folder", "other")
    assert (done.code, done.out) == (0, "1 test, 0 differ.\n")
    file.write_text(TAP + TEST.replace("true", "false"), encoding="utf-8")
    done = run("taps", "test", "--folder", "other")
    assert done.code == 1
    assert "other/a.yaml: t: the event is taken, but the test says that it is left" in done.out


@pytest.mark.parametrize("command", ["check", "show", "schema"])
def test_help_shows_examples(run: Run, command: str) -> None:
    assert "Examples:" in run("config", command, "--help").out
