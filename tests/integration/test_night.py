"""The whole night: a fault, an alert, the page in a browser, acknowledged, silent, resolved."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.browser.chromium import browser
from tests.integration.stage import Stage, wait_for
from tests.integration.test_alerting import DEPARTED, FAULTY, Watch, _days
from tests.receiver import receiver
from tests.unit.web.fleet_of_shops import SECRET, WRITE

from streamwatch.adapters.acknowledging import keep_silences
from streamwatch.adapters.alertmanager import Alertmanager
from streamwatch.adapters.kafka.acknowledged import publish_acknowledgements
from streamwatch.adapters.local.monitoring import Server
from streamwatch.adapters.sql.incidents import list_incidents
from streamwatch.adapters.web.access import Access
from streamwatch.adapters.web.server import serve_site
from streamwatch.adapters.web.site import Site
from streamwatch.domain.incidents import Incident

HOUR = 3_600_000


@pytest.fixture(name="watched")
def _watched(tmp_path: Path, kafka: str, topic_name: Callable[[str], str]) -> Iterator[Watch]:
    database = f"sqlite:///{tmp_path / 'streamwatch.db'}"
    stage = Stage(tmp_path, topic_name("night"), kafka, database)
    with stage.closing(), receiver() as told:
        yield Watch(stage, tmp_path, told)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def states(alertmanager: Server) -> set[str]:
    """What becomes of the alerts of the departed shop's height."""
    alerts: list[dict[str, Any]] = json.loads(alertmanager.get("/api/v2/alerts"))
    return {
        one["status"]["state"]
        for one in alerts
        if one["labels"].get("shop") == DEPARTED and one["labels"].get("kpi") == "mean.height"
    }


def the_incident(watched: Watch) -> Incident:
    incidents = list_incidents(watched.stage.engine, shop=DEPARTED)
    (one,) = (
        one
        for one in incidents
        if (one.key.kpi, one.key.segment, one.key.span) == ("mean.height", "all", "day")
    )
    return one


def test_from_the_fault_to_the_morning(watched: Watch, pytestconfig: pytest.Config) -> None:
    with ExitStack() as stack:
        watched.start_worker()
        _, alertmanager = watched.start(stack)
        watched.stage.send(_days(range(FAULTY.stop + 1)))
        post = watched.wait_until_told("ShopMeanDeparted", "firing")
        link = urlsplit(post.body["alerts"][0]["annotations"]["incident_url"])

        silencer = Alertmanager(alertmanager.url)
        site = Site(
            engine=watched.stage.engine,
            access=Access(SECRET, write_token=WRITE),
            now_ms=now_ms,
            silencer=silencer,
            silence_ms=HOUR,
            tell=partial(publish_acknowledgements, watched.stage.settings.kafka),
        )
        server = serve_site(site, "127.0.0.1", 0)
        stack.callback(server.stop)
        address = f"http://127.0.0.1:{server.port}"
        of_alert = f"{address}{link.path}?{link.query}"

        page = stack.enter_context(browser())
        page.look(1280, "dark")
        page.open(f"{address}/sign-in")
        page.evaluate(f"document.querySelector('#token').value = {json.dumps(WRITE)}")
        page.evaluate("document.querySelector('#who').value = 'Ada'")
        page.click_and_wait("form.sign-in button")
        assert DEPARTED in page.evaluate("document.querySelector('ol.fleet').textContent")
        page.open(of_alert)
        heading = page.evaluate("document.querySelector('h1').textContent")
        assert heading == f"{DEPARTED}: mean height of widget events is unusually low"
        page.evaluate("document.querySelector('[value=\"client-error\"]').checked = true")
        page.click_and_wait("form.acknowledge button")
        said = page.evaluate("document.querySelector('[role=status]').textContent")
        assert said == "Acknowledged, and its alert is silenced until it closes."
        page.screenshot(pytestconfig.rootpath / ".local" / "screenshots" / "night.png")

        wait_for(lambda: states(alertmanager) == {"suppressed"}, "the silence")
        wait_for(lambda: the_incident(watched).acknowledged == "client-error", "FLEET knows")

        watched.stage.send(_days(range(FAULTY.stop + 1, FAULTY.stop + 8)))
        wait_for(lambda: the_incident(watched).status == "closed", "the incident closes")
        kept = keep_silences(watched.stage.engine, silencer, now_ms=now_ms(), silence_ms=HOUR)
        assert kept.lifted == 1
        (silence,) = json.loads(alertmanager.get("/api/v2/silences"))
        assert silence["status"]["state"] == "expired"
        wait_for(lambda: states(alertmanager) == set(), "the alert is resolved")
        page.open(of_alert)
        assert "was unusually low" in page.evaluate("document.querySelector('h1').textContent")
