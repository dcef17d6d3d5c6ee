from pathlib import Path

import pytest
from tests.functional.command import Run


@pytest.mark.parametrize(
    ("kind", "files"), [("prometheus", 3), ("alertmanager", 2), ("grafana", 6)]
)
def test_the_files_are_written_and_named_for_machines(
    run: Run, tmp_path: Path, kind: str, files: int
) -> None:
    answer = run("rules", kind, "-o", "out", "--json")
    assert answer.code == 0, answer.err
    told = answer.json
    assert len(told["files"]) == files
    assert all((tmp_path / file).is_file() for file in told["files"])


def test_for_and_interval_go_over_the_own_times_of_the_alerts(run: Run, tmp_path: Path) -> None:
    answer = run("rules", "prometheus", "-o", ".", "--for", "0s", "--interval", "1s")
    assert answer.code == 0
    assert "promtool test rules" in answer.err
    rules = (tmp_path / "streamwatch.rules.yml").read_text()
    assert "keep_firing_for" not in rules
    assert rules.count("for: 0s") == rules.count("alert: ")
    assert "evaluation_interval: 1s" in (tmp_path / "prometheus.yml").read_text()


def test_a_time_that_prometheus_does_not_read_is_a_usage_error(run: Run) -> None:
    answer = run("rules", "prometheus", "-o", ".", "--for", "soon")
    assert answer.code == 2
    assert "write it like 30s, 2m or 1h" in answer.err


def test_a_folder_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = run("rules", "grafana", "-o", "file/below")
    assert answer.code == 2
    assert "file/below" in answer.err


def test_it_says_that_nobody_is_told_until_receivers_have_addresses(
    run: Run, tmp_path: Path
) -> None:
    assert "nobody is told yet" in run("rules", "alertmanager", "-o", "a").err
    (tmp_path / "streamwatch.yaml").write_text(
        "alerting: {receivers: {page: https://pager.example/hook}}\n"
    )
    answer = run("rules", "alertmanager", "-o", "b")
    assert "nobody is told yet" not in answer.err
    assert "https://pager.example/hook" in (tmp_path / "b" / "alertmanager.yml").read_text()


def test_a_receiver_without_a_web_address_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text("alerting: {receivers: {page: pager}}\n")
    answer = run("rules", "alertmanager", "-o", "b")
    assert answer.code == 2
    assert "receiver page must begin with http:// or https://" in answer.err


def test_the_password_of_alertmanager_is_not_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text(
        "alertmanager: {url: 'https://ada:secret@am.example'}\n"
    )
    answer = run("rules", "prometheus", "-o", ".")
    assert "basic_auth" in answer.err
    written = (tmp_path / "prometheus.yml").read_text()
    assert "am.example:443" in written
    assert "secret" not in written
