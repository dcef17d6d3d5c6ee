from pathlib import Path

import pytest

from streamwatch.adapters.local import monitoring
from streamwatch.adapters.local.monitoring import (
    FOLDER_VARIABLE,
    PROGRAMS,
    missing_programs,
    program,
    start_alertmanager,
    start_prometheus,
)
from streamwatch.adapters.local.process import runs
from streamwatch.errors import ServiceError


def test_a_missing_program_fails_and_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert missing_programs() == list(PROGRAMS)
    with pytest.raises(ServiceError, match="apt-get install prometheus prometheus-alertmanager"):
        program("promtool")
    with pytest.raises(SystemExit) as ended:
        monitoring.main()
    assert ended.value.code == 1
    assert "not installed: prometheus, promtool, alertmanager, amtool" in capsys.readouterr().err


def test_programs_are_found_in_the_named_folder_under_either_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    file = tmp_path / "alertmanager"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    assert program("alertmanager") == file


def test_both_servers_start_answer_and_end(tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text("global: {scrape_interval: 1s}\n")
    (tmp_path / "a.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    servers = [
        start_prometheus(tmp_path / "p.yml", tmp_path / "p"),
        start_alertmanager(tmp_path / "a.yml", tmp_path / "a"),
    ]
    for server in servers:
        assert server.get("/-/healthy")
        server.stop()
        assert not runs(server.note)
        with pytest.raises(ServiceError):
            server.get("/-/healthy")


def test_a_server_with_a_wrong_file_says_why_in_the_words_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text("globl: {}\n")
    with pytest.raises(ServiceError, match=r"(?s)ended while it was starting.*globl"):
        start_prometheus(tmp_path / "p.yml", tmp_path / "p")
