import copy
import re
from pathlib import Path
from typing import Any

import msgspec
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from tests.unit.rules.generated import (
    exported,
    expressions,
    files_of,
)

from streamwatch.adapters.local.monitoring import check
from streamwatch.domain.settings import Settings
from streamwatch.rules.grafana import grafana_files
from streamwatch.rules.prometheus import TESTS, all_alerts
from streamwatch.rules.recording import RECORDED


def test_rules_and_dashboards_use_only_metrics_that_a_worker_exports() -> None:
    used = {
        name
        for kind in ("prometheus", "grafana")
        for file, content in files_of(kind, Settings()).items()
        if file != TESTS
        for expr in expressions(content)
        for name in re.findall(r"(?<![:\w])streamwatch_[a-z_]+(?=[^:a-z_]|$)", expr)
    }
    assert len(used) > 25
    assert used - exported() - {"streamwatch_incident_open"} == set()


def test_recorded_series_are_used_under_the_names_under_which_they_are_recorded() -> None:
    used = {
        name
        for kind in ("prometheus", "grafana")
        for file, content in files_of(kind, Settings()).items()
        if file != TESTS
        for expr in expressions(content)
        for name in re.findall(r"\w+:streamwatch_[a-z_]+:\w+", expr)
    }
    assert used == set(RECORDED)


def test_dashboards_hold_queries_that_promtool_takes(tmp_path: Path) -> None:
    values = {"shop": "shop-001", "event_type": ".*", "kpi": ".*"}
    rules: list[dict[str, str]] = []
    for file, content in grafana_files(Settings()).items():
        for number, expr in enumerate(expressions(content)):
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


def test_grafanas_own_model_of_a_dashboard_holds_every_field() -> None:
    register_default_plugins()
    for name, board in grafana_files(Settings()).items():
        if name.endswith(".json"):
            known = Dashboard.from_json(copy.deepcopy(board))
            kept = msgspec.json.decode(JSONEncoder(sort_keys=True).encode(known))
            assert lost(board, kept) == [], name


def lost(wanted: object, kept: object, place: str = "") -> list[str]:
    """The places at which something is missing or another."""
    if isinstance(wanted, dict) and isinstance(kept, dict):
        return [
            found
            for key, value in wanted.items()
            for found in lost(value, kept.get(key), f"{place}.{key}")
        ]
    if isinstance(wanted, list) and isinstance(kept, list) and len(wanted) == len(kept):
        pairs = enumerate(zip(wanted, kept, strict=True))
        return [found for at, (one, other) in pairs for found in lost(one, other, f"{place}[{at}]")]
    return [] if wanted == kept else [place]
