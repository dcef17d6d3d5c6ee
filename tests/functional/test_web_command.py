"""`streamwatch web` and `streamwatch incidents ack` as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.functional.command import Run
from tests.unit.web.fleet_of_shops import fill

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.domain.incidents import Incident

TOKEN = "read" * 5


@pytest.fixture(name="incident")
def _incident(run: Run) -> Incident:
    run("db", "upgrade")
    engine = create_engine_for("sqlite:///streamwatch.db")
    found = fill(engine)
    engine.dispose()
    return found


@contextmanager
def served(
    folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    inherited = {key: text for key, text in os.environ.items() if "STREAMWATCH_" not in key}
    process = subprocess.Popen(
        [sys.executable, "-m", "streamwatch", "web", "--port", "0", "--json"],
        cwd=folder,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=(folder / "web.log").open("w"),
        text=True,
    )
    try:
        assert process.stdout is not None
        text = ""
        deadline = time.monotonic() + 90
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line or process.poll() is None, (folder / "web.log").read_text()
            assert time.monotonic() < deadline
            text += line
        yield json.loads(text)["address"], process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def get(address: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(address, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        return answer.status, answer.read().decode()


def test_the_pages_are_served_until_sigterm(incident: Incident, tmp_path: Path) -> None:
    with served(tmp_path, {"STREAMWATCH_WEB_TOKEN": TOKEN}) as (address, process):
        assert address.startswith("http://127.0.0.1:")
        assert "Sign in" in get(address)[1]
        status, body = get(f"{address}api/v1/incidents", Authorization=f"Bearer {TOKEN}")
        assert status == 200
        ids = [one["incident"]["id"] for one in json.loads(body)["incidents"]]
        assert incident.id in ids
        runbook = get(f"{address}runbooks/ShopSilent.md", Authorization=f"Bearer {TOKEN}")
        assert runbook[1].startswith("# ShopSilent")
    assert process.returncode == 0
    log = (tmp_path / "web.log").read_text()
    assert f"pages on {address}" in log
    assert TOKEN not in log


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--host", ".".join("0000")), 2, "STREAMWATCH_WEB_TOKEN"),
        (("--host", "no-such-host.invalid"), 2, "other machines reach"),
        (("--database", "sqlite:///none.db"), 3, "streamwatch db upgrade"),
        (("--port", "99999"), 2, "99999"),
    ],
)
def test_what_cannot_be_served_is_explained(
    run: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    got, _, err = run("web", *arguments)
    assert (got, said in err) == (code, True), err


def test_an_incident_is_acknowledged_from_the_command_line(run: Run, incident: Incident) -> None:
    code, out, _ = run(
        "incidents", "ack", incident.id, "--as", "client-error", "--note", "inches", "--who", "Ada"
    )
    assert (code, out) == (0, "stored as client-error: the client sent it wrong\n")
    shown = run("incidents", "show", incident.id)[1]
    assert "client-error by Ada" in shown
    assert ": inches" in shown
    answer = json.loads(run("incidents", "show", incident.id, "--json")[1])
    assert [one["kind"] for one in answer["acknowledgements"]] == ["client-error"]
    code, out, _ = run("incidents", "ack", incident.id, "--as", "expected", "--json")
    assert code == 0
    assert json.loads(out)["acknowledgement"]["kind"] == "expected"


def test_a_wrong_acknowledgement_is_explained(run: Run, incident: Incident) -> None:
    for arguments, said in (
        (("nothing", "--as", "expected"), "streamwatch incidents list"),
        ((incident.id, "--as", "odd"), "'odd' is not one of"),
        ((incident.id,), "Missing option '--as'"),
        ((incident.id, "--as", "expected", "--note", "n" * 1001), "more than 1000"),
    ):
        code, _, err = run("incidents", "ack", *arguments)
        assert (code, said in err) == (2, True), err


def test_an_alertmanager_that_is_away_is_a_finding(
    run: Run, incident: Incident, tmp_path: Path
) -> None:
    (tmp_path / "streamwatch.yaml").write_text("alertmanager: {url: 'http://127.0.0.1:1'}\n")
    code, out, err = run("incidents", "ack", incident.id, "--as", "expected")
    assert code == 1
    assert "stored as expected" in out
    assert "Alertmanager at 127.0.0.1:1 does not answer" in err
