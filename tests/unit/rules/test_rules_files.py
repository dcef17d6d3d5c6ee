import re
import shutil
from pathlib import Path

import msgspec
import pytest
import yaml
from tests.unit.rules.generated import (
    NAMES,
    PARTS,
    ROOT,
    RUNBOOKS,
    STRICT,
    exported,
    files_of,
)

from streamwatch.adapters.local.monitoring import check, program
from streamwatch.adapters.rule_files import write_files, written
from streamwatch.domain.settings import Settings
from streamwatch.rules.prometheus import RULES, SERVER, TESTS, all_alerts, prometheus_files


@pytest.mark.parametrize("kind", ["prometheus", "alertmanager", "grafana"])
def test_the_files_under_deploy_are_those_of_the_default_configuration(kind: str) -> None:
    folder = ROOT / "deploy" / kind
    expected = {
        name: written(kind, name, content) for name, content in files_of(kind, Settings()).items()
    }
    found = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert found == expected, f"make them anew: streamwatch rules {kind} -o deploy/{kind}"


@pytest.mark.parametrize(("settings", "hold"), [(Settings(), None), (STRICT, "0s")])
def test_promtool_takes_the_rules_and_their_tests_pass(
    tmp_path: Path, settings: Settings, hold: str | None
) -> None:
    write_files(tmp_path, "prometheus", prometheus_files(settings, hold))
    rules = check("promtool", "check", "rules", "--lint-fatal", str(tmp_path / RULES))
    assert rules.returncode == 0, rules.stdout + rules.stderr
    tests = check("promtool", "test", "rules", str(tmp_path / TESTS))
    assert tests.returncode == 0, tests.stdout + tests.stderr
    server = check("promtool", "check", "config", str(tmp_path / SERVER))
    assert server.returncode == 0, server.stdout + server.stderr


def test_the_tests_notice_a_rule_and_a_text_that_were_changed(tmp_path: Path) -> None:
    write_files(tmp_path, "prometheus", prometheus_files(Settings()))
    rules = tmp_path / RULES
    text = rules.read_text(encoding="utf-8")
    changed = text.replace(">= 0.2", ">= 0.9").replace("Records wait in", "Something in")
    rules.write_text(changed, encoding="utf-8")
    tests = check("promtool", "test", "rules", str(tmp_path / TESTS))
    assert tests.returncode == 1
    assert "PipelineDeparture fires" in tests.stdout + tests.stderr
    assert "StreamwatchStandsStill fires" in tests.stdout + tests.stderr


def test_every_alert_has_a_test_that_it_fires_and_one_that_it_keeps_quiet() -> None:
    tests = prometheus_files(Settings())[TESTS]["tests"]
    tested = {test["name"] for test in tests}
    fires = {f"{name} fires" for name in NAMES}
    quiet = {f"{name} keeps quiet" for name in NAMES if name != "StreamwatchWatchdog"}
    assert tested == fires | quiet


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_runbook_with_its_four_parts(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    found = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert found == list(PARTS)
    for section in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]:
        assert len(section.split()) >= 15, section


def test_there_is_no_runbook_without_its_alert() -> None:
    found = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert found == set(NAMES)


def test_nothing_changes_in_a_label_while_an_alert_fires() -> None:
    for alert in all_alerts(Settings()):
        assert "$" not in "".join(alert.labels.values())
        assert alert.severity in {"page", "ticket", "info", "none"}


def test_json_and_yaml_are_read_back_as_they_were_meant() -> None:
    for kind in ("prometheus", "grafana"):
        for name, content in files_of(kind, STRICT).items():
            text = written(kind, name, content)
            read = msgspec.json.decode(text) if name.endswith(".json") else yaml.safe_load(text)
            assert read == content


def test_the_programs_are_where_the_look_up_finds_them() -> None:
    for name in ("prometheus", "promtool", "alertmanager", "amtool"):
        assert shutil.which(program(name)) is not None


def test_the_runbooks_and_the_page_on_alerting_name_only_metrics_that_exist() -> None:
    for page in (*RUNBOOKS.glob("*.md"), ROOT / "docs" / "alerting.md"):
        named = set(re.findall(r"`(streamwatch_[a-z_]+)", page.read_text(encoding="utf-8")))
        assert named - exported() == set(), page.name
