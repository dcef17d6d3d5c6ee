"""Acknowledging against a real Alertmanager: silenced, prolonged, and back when it closes."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.integration.stage import wait_for
from tests.unit.web.fleet_of_shops import incident, write

from streamwatch.adapters.acknowledging import acknowledge, keep_silences
from streamwatch.adapters.alertmanager import Alertmanager
from streamwatch.adapters.local.monitoring import Server, start_alertmanager
from streamwatch.adapters.local.process import free_port
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.domain.rows import IncidentRow
from streamwatch.errors import ServiceError

HOUR = 3_600_000
FORGOTTEN = "11111111-1111-1111-1111-111111111111"
LABELS = {
    "alertname": "ShopMeanDeparted",
    "shop": 'shop "002" \\ é',
    "event_type": "widget-event",
    "kpi": "mean.height",
    "segment": "all",
    "span": "day",
    "direction": "low",
}


@pytest.fixture(name="alertmanager")
def _alertmanager(tmp_path: Path) -> Iterator[Server]:
    configuration = tmp_path / "alertmanager.yml"
    configuration.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    server = start_alertmanager(configuration, tmp_path / "alertmanager")
    yield server
    server.stop()


@pytest.fixture(name="engine")
def _engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine_for(f"sqlite:///{tmp_path / 'streamwatch.db'}")
    upgrade(engine)
    yield engine
    engine.dispose()


def alert(server: Server, **changed: str) -> None:
    body = json.dumps([{"labels": {**LABELS, **changed}}]).encode()
    request = urllib.request.Request(  # noqa: S310
        f"{server.url}/api/v2/alerts", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310
        pass


def states(server: Server) -> dict[str, str]:
    """Direction and segment of each alert, and whether it is told or held back."""
    return {
        f"{one['labels']['direction']} {one['labels'].get('segment', 'none')}": (
            one["status"]["state"]
        )
        for one in json.loads(server.get("/api/v2/alerts"))
    }


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_an_acknowledged_alert_is_silent_until_its_incident_closes(
    alertmanager: Server, engine: Engine
) -> None:
    found = incident(LABELS["shop"])
    write(engine, IncidentRow(found))
    alert(alertmanager)
    alert(alertmanager, segment="gender=female")
    alert(alertmanager, direction="high")
    outcome = acknowledge(
        engine, Alertmanager(alertmanager.url + "/"), found, "client-error", "they know", "Ada",
        now_ms=now_ms(), silence_ms=HOUR,
    )  # fmt: skip
    assert outcome.failed == ()
    silenced = {"low all": "suppressed", "low gender=female": "suppressed", "high all": "active"}
    wait_for(lambda: states(alertmanager) == silenced, "the silence", 30)
    (silence,) = json.loads(alertmanager.get("/api/v2/silences"))
    assert (silence["createdBy"], silence["id"]) == ("Ada", outcome.acknowledgement.silence)
    assert "they know" in silence["comment"]

    silencer = Alertmanager(alertmanager.url)
    later = now_ms() + HOUR // 2 + 60_000
    assert keep_silences(engine, silencer, now_ms=later, silence_ms=HOUR).renewed == 1
    (longer,) = json.loads(alertmanager.get("/api/v2/silences"))
    assert longer["id"] == silence["id"]
    assert longer["endsAt"] > silence["endsAt"]

    write(engine, IncidentRow(replace(found, status="closed", until=found.since, revision=2)))
    assert keep_silences(engine, silencer, now_ms=later, silence_ms=HOUR).lifted == 1
    wait_for(lambda: set(states(alertmanager).values()) == {"active"}, "the alerts", 30)
    silencer.lift(silence["id"])
    silencer.lift("00000000-0000-0000-0000-000000000000")


def test_the_alert_on_many_shops_is_silent_once_their_incident_is_acknowledged(
    alertmanager: Server, engine: Engine
) -> None:
    many = incident("*")
    write(engine, IncidentRow(many))
    alert(alertmanager, alertname="PipelineDeparture", shop="", segment="")
    alert(alertmanager)
    outcome = acknowledge(
        engine, Alertmanager(alertmanager.url), many, "expected", "a holiday", "Ada",
        now_ms=now_ms(), silence_ms=HOUR,
    )  # fmt: skip
    assert outcome.failed == ()
    silenced = {"low none": "suppressed", "low all": "active"}
    wait_for(lambda: states(alertmanager) == silenced, "the silence", 30)


def test_a_silence_that_alertmanager_forgot_is_made_anew(alertmanager: Server) -> None:
    silencer = Alertmanager(alertmanager.url)
    ends = now_ms() + HOUR
    made = silencer.silence(
        {"shop": "a"}, ends, "Ada", "why", "11111111-1111-1111-1111-111111111111"
    )
    assert made != FORGOTTEN
    assert silencer.silence({"shop": "a"}, ends + HOUR, "Ada", "why", made) == made
    with pytest.raises(ServiceError, match="refused"):
        silencer.silence({}, ends, "Ada", "why")


def test_nobody_at_the_address_is_said() -> None:
    silencer = Alertmanager(f"http://ada:secret@127.0.0.1:{free_port()}")
    with pytest.raises(ServiceError, match="does not answer") as raised:
        silencer.lift("x")
    assert "secret" not in str(raised.value)
