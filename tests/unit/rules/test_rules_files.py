import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from prometheus_client import CollectorRegistry

from streamwatch.adapters.local.monitoring import check, program
from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.adapters.prometheus.partitions import PartitionStatus
from streamwatch.adapters.rule_files import Content, write_files, written
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.alerting_settings import AlertingSettings, AlertmanagerSettings
from streamwatch.domain.gauges import HELPS
from streamwatch.domain.records import PartitionId
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings
from streamwatch.rules.alertmanager import (
    CONFIGURATION,
    ROUTE_TESTS,
    alertmanager_configuration,
    route_examples,
    route_tests,
)
from streamwatch.rules.grafana import grafana_files
from streamwatch.rules.prometheus import RULES, SERVER, TESTS, all_alerts, prometheus_files
from streamwatch.rules.recording import RECORDED

ROOT = Path(__file__).parents[3]
RUNBOOKS = ROOT / "docs" / "runbooks"
NAMES = sorted({alert.name for alert in all_alerts(Settings())})
PARTS = ("What it means", "What to look at", "What to do", "How it can be wrong")
STRICT = Settings(
    alerting=AlertingSettings(
        targets=("one:9464", "two:9464"),
        pipeline_shops=7,
        pipeline_share=0.55,
        lag=0,
        runbooks="https://wiki.example/runbooks/",
        receivers={
            "page": "http://pager.example/a",
            "normalise": "http://team.example/b",
            "own-stage": "http://team.example/c",
        },
    )
)


def _alertmanager(settings: Settings) -> dict[str, Content]:
    return {
        CONFIGURATION: alertmanager_configuration(settings),
        ROUTE_TESTS: route_tests(settings),
    }


def _files(kind: str, settings: Settings) -> dict[str, Content]:
    if kind == "prometheus":
        return dict(prometheus_files(settings))
    return dict(grafana_files(settings)) if kind == "grafana" else _alertmanager(settings)


@pytest.mark.parametrize("kind", ["prometheus", "alertmanager", "grafana"])
def test_the_files_under_deploy_are_those_of_the_default_configuration(kind: str) -> None:
    folder = ROOT / "deploy" / kind
    expected = {
        name: written(kind, name, content) for name, content in _files(kind, Settings()).items()
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


@pytest.mark.parametrize("settings", [Settings(), STRICT], ids=["default", "strict"])
def test_amtool_takes_the_routes_and_each_alert_reaches_its_people(
    tmp_path: Path, settings: Settings
) -> None:
    write_files(tmp_path, "alertmanager", _alertmanager(settings))
    checked = check("amtool", "check-config", str(tmp_path / CONFIGURATION))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    folder = str(program("amtool").parent)
    script = subprocess.run(
        ["sh", str(tmp_path / ROUTE_TESTS)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )
    assert script.returncode == 0, script.stdout + script.stderr
    expected = [receiver for _, receiver in route_examples(settings)]
    assert script.stdout.split() == expected


def test_a_route_to_the_wrong_people_is_noticed(tmp_path: Path) -> None:
    write_files(tmp_path, "alertmanager", _alertmanager(Settings()))
    script = (tmp_path / ROUTE_TESTS).read_text(encoding="utf-8")
    (tmp_path / ROUTE_TESTS).write_text(script.replace("=client ", "=page "), encoding="utf-8")
    assert subprocess.run([str(tmp_path / ROUTE_TESTS)], check=False).returncode != 0


def test_a_stage_without_an_owner_pages_on_call_and_one_with_an_owner_pages_it() -> None:
    told = {
        labels["origin"]: receiver
        for labels, receiver in route_examples(STRICT)
        if labels["alertname"] == "ShopStageFault"
    }
    assert told == dict.fromkeys(STAGES, "page") | {
        "normalise": "normalise",
        "own-stage": "own-stage",
    }


def test_rules_and_dashboards_use_only_metrics_that_a_worker_exports() -> None:
    used = {
        name
        for kind in ("prometheus", "grafana")
        for file, content in _files(kind, Settings()).items()
        if file != TESTS
        for expr in _expressions(content)
        for name in re.findall(r"(?<![:\w])streamwatch_[a-z_]+(?=[^:a-z_]|$)", expr)
    }
    assert len(used) > 25
    assert used - _exported() - {"streamwatch_incident_open"} == set()


def test_recorded_series_are_used_under_the_names_under_which_they_are_recorded() -> None:
    used = {
        name
        for kind in ("prometheus", "grafana")
        for file, content in _files(kind, Settings()).items()
        if file != TESTS
        for expr in _expressions(content)
        for name in re.findall(r"\w+:streamwatch_[a-z_]+:\w+", expr)
    }
    assert used == set(RECORDED)


def test_dashboards_hold_queries_that_promtool_takes(tmp_path: Path) -> None:
    values = {"shop": "shop-001", "event_type": ".*", "kpi": ".*"}
    rules: list[dict[str, str]] = []
    for file, content in grafana_files(Settings()).items():
        for number, expr in enumerate(_expressions(content)):
            for name, value in values.items():
                expr = expr.replace(f"${name}", value)  # noqa: PLW2901
            assert "$" not in expr, file
            rules.append({"record": f"dashboard:query{len(rules)}:{number}", "expr": expr})
    (tmp_path / "queries.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "a", "rules": rules}]})
    )
    checked = check("promtool", "check", "rules", str(tmp_path / "queries.yml"))
    assert len(rules) > 40
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_dashboards_can_only_be_read_and_have_stable_names() -> None:
    files: dict[str, Any] = grafana_files(Settings())
    boards = {name: board for name, board in files.items() if name.endswith(".json")}
    assert {board["uid"] for board in boards.values()} == {
        "streamwatch-fleet",
        "streamwatch-shop",
        "streamwatch-pipeline",
        "streamwatch-itself",
    }
    for board in boards.values():
        assert board["editable"] is False
        assert board["templating"]["list"][0]["type"] == "datasource"
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {"${datasource}"}
        places = [tuple(panel["gridPos"].values()) for panel in board["panels"]]
        assert len(set(places)) == len(places)
    (provider,) = files["provisioning/dashboards/streamwatch.yaml"]["providers"]
    assert provider["allowUiUpdates"] is False


def test_every_dashboard_that_an_alert_links_to_exists() -> None:
    boards = {
        f"/d/{board['uid']}" for board in grafana_files(Settings()).values() if "uid" in board
    }
    for alert in all_alerts(Settings()):
        assert alert.dashboard.partition("?")[0] in boards


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


def _expressions(content: Content | object) -> Iterator[str]:
    """Every ``expr`` in a document, however deep."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key == "expr":
                yield str(value)
            else:
                yield from _expressions(value)
    elif isinstance(content, list):
        for value in content:
            yield from _expressions(value)


def _exported() -> set[str]:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"))
    place = PartitionId("count", "purchase", 0)
    metrics.observed([PartitionStatus(place, 0, 0, 0, Accounting(), 1, 0)])
    names = set(HELPS)
    for family in registry.collect():
        ends = {"counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_count")}
        names.update(family.name + end for end in ends.get(family.type, ("",)))
    return names


def test_json_and_yaml_are_read_back_as_they_were_meant() -> None:
    for kind in ("prometheus", "grafana"):
        for name, content in _files(kind, STRICT).items():
            text = written(kind, name, content)
            read = msgspec.json.decode(text) if name.endswith(".json") else yaml.safe_load(text)
            assert read == content


def test_the_programs_are_where_the_look_up_finds_them() -> None:
    for name in ("prometheus", "promtool", "alertmanager", "amtool"):
        assert shutil.which(program(name)) is not None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", {"static_configs": [{"targets": ["127.0.0.1:9093"]}]}),
        ("http://am.example", {"static_configs": [{"targets": ["am.example:80"]}]}),
        (
            "https://ada:secret@[::1]:9443/alerts/",
            {
                "static_configs": [{"targets": ["[::1]:9443"]}],
                "scheme": "https",
                "path_prefix": "/alerts",
            },
        ),
    ],
)
def test_prometheus_sends_alerts_to_the_alertmanager_that_is_silenced(
    url: str, expected: dict[str, Any]
) -> None:
    settings = Settings(alertmanager=AlertmanagerSettings(url=url))
    server = prometheus_files(settings)[SERVER]
    assert server["alerting"] == {"alertmanagers": [expected]}
