import json
import subprocess
import sys
from pathlib import Path

import pytest


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streamwatch", "rules", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("kind", "files"), [("prometheus", 3), ("alertmanager", 2), ("grafana", 6)]
)
def test_the_files_are_written_and_named_for_machines(
    tmp_path: Path, kind: str, files: int
) -> None:
    answer = _run(tmp_path, kind, "-o", "out", "--json")
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told["schema_version"] == 1
    assert len(told["files"]) == files
    assert all((tmp_path / file).is_file() for file in told["files"])


def test_for_and_interval_go_over_the_own_times_of_the_alerts(tmp_path: Path) -> None:
    answer = _run(tmp_path, "prometheus", "-o", ".", "--for", "0s", "--interval", "1s")
    assert answer.returncode == 0
    assert "promtool test rules" in answer.stderr
    rules = (tmp_path / "streamwatch.rules.yml").read_text()
    assert "keep_firing_for" not in rules
    assert rules.count("for: 0s") == rules.count("alert: ")
    assert "evaluation_interval: 1s" in (tmp_path / "prometheus.yml").read_text()


def test_a_time_that_prometheus_does_not_read_is_a_usage_error(tmp_path: Path) -> None:
    answer = _run(tmp_path, "prometheus", "-o", ".", "--for", "soon")
    assert answer.returncode == 2
    assert "write it like 30s, 2m or 1h" in answer.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = _run(tmp_path, "grafana", "-o", "file/below")
    assert answer.returncode == 2
    assert "file/below" in answer.stderr


def test_it_says_that_nobody_is_told_until_receivers_have_addresses(tmp_path: Path) -> None:
    assert "nobody is told yet" in _run(tmp_path, "alertmanager", "-o", "a").stderr
    (tmp_path / "streamwatch.yaml").write_text(
        "alerting: {receivers: {page: https://pager.example/hook}}\n"
    )
    answer = _run(tmp_path, "alertmanager", "-o", "b")
    assert "nobody is told yet" not in answer.stderr
    assert "https://pager.example/hook" in (tmp_path / "b" / "alertmanager.yml").read_text()


def test_a_receiver_without_a_web_address_is_refused(tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text("alerting: {receivers: {page: pager}}\n")
    answer = _run(tmp_path, "alertmanager", "-o", "b")
    assert answer.returncode == 2
    assert "receiver page must begin with http:// or https://" in answer.stderr


def test_the_password_of_alertmanager_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text(
        "alertmanager: {url: 'https://ada:secret@am.example'}\n"
    )
    answer = _run(tmp_path, "prometheus", "-o", ".")
    assert "basic_auth" in answer.stderr
    written = (tmp_path / "prometheus.yml").read_text()
    assert "am.example:443" in written
    assert "secret" not in written
