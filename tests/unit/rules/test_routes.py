import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.unit.rules.generated import (
    STRICT,
    alertmanager_files,
)

from streamwatch.adapters.local.monitoring import check, program
from streamwatch.adapters.rule_files import write_files
from streamwatch.domain.alerting_settings import AlertmanagerSettings
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings
from streamwatch.rules.alertmanager import (
    CONFIGURATION,
    ROUTE_TESTS,
    route_examples,
)
from streamwatch.rules.prometheus import SERVER, prometheus_files


@pytest.mark.parametrize("settings", [Settings(), STRICT], ids=["default", "strict"])
def test_amtool_takes_the_routes_and_each_alert_reaches_its_people(
    tmp_path: Path, settings: Settings
) -> None:
    write_files(tmp_path, "alertmanager", alertmanager_files(settings))
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
    write_files(tmp_path, "alertmanager", alertmanager_files(Settings()))
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
