import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from streamwatch.adapters.local import compose, postgres
from streamwatch.adapters.local.__main__ import local
from streamwatch.adapters.local.postgres import postgres_available
from streamwatch.adapters.local.postgres_programs import binaries


def ask(*arguments: str) -> tuple[object, str]:
    result = CliRunner().invoke(local, list(arguments), standalone_mode=False)
    return result.return_value, result.stdout


@pytest.mark.parametrize("service", ["kafka", "postgres"])
def test_what_was_never_started_is_not_running(tmp_path: Path, service: str) -> None:
    folder = str(tmp_path)
    assert ask("status", service, "--folder", folder) == (1, f"{service} is not running\n")
    code, text = ask("status", service, "--json", "--folder", folder)
    assert code == 1
    assert json.loads(text) == {"schema_version": 1, "service": service, "address": None}


@pytest.mark.parametrize("action", ["stop", "remove"])
def test_stopping_what_was_never_started_is_fine(tmp_path: Path, action: str) -> None:
    assert ask(action, "kafka", "--folder", str(tmp_path))[0] == 0
    assert ask(action, "postgres", "--folder", str(tmp_path))[0] == 0


def test_the_development_dependencies_bring_a_postgresql_server() -> None:
    folder = binaries()
    assert folder is not None
    assert (folder / "postgres").exists()


def test_a_machine_without_a_server_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "binaries", lambda: None)
    monkeypatch.setattr(compose, "why_no_engine", lambda: "there is no docker command")
    reason = postgres_available()
    assert reason is not None
    for part in ("no docker command", "no initdb", "apt-get install postgresql", "pip install"):
        assert part in reason
