"""From a fault in the records to the person who is told, with real Prometheus and Alertmanager."""

import json
import random
import re
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.integration.stage import Stage, Worker, wait_for
from tests.receiver import Post, Receiver, receiver

from streamwatch.adapters.local.monitoring import Server, start_alertmanager, start_prometheus
from streamwatch.adapters.local.process import free_port
from streamwatch.domain.settings import Settings
from streamwatch.rules.grafana import grafana_files

DAY_MS = 86_400_000
FIRST_DAY = 1_788_220_800_000  # 2026-09-01, a Tuesday
FAULTY = range(24, 27)
EVENTS_A_DAY = 80
SHOPS = ("shop-001", "shop-002", "shop-003", "shop-004")
DEPARTED = "shop-002"
Record = tuple[str, int, bytes | None, bytes]


def _days(days: range) -> list[Record]:
    """Widget events of some days; on the faulty ones, one shop sends inches for centimetres."""
    records: list[Record] = []
    for day in days:
        for shop in SHOPS:
            chance = random.Random(f"{shop}/{day}")  # noqa: S311
            for number in range(EVENTS_A_DAY + chance.randrange(9)):
                height = chance.gauss(172, 9)
                is_wrong = shop == DEPARTED and day in FAULTY
                moment = FIRST_DAY + day * DAY_MS + number * (DAY_MS // 100)
                event = {
                    "event_id": f"{shop}/{day}/{number}",
                    "shop": shop,
                    "time": moment,
                    "height": round(height / 2.54 if is_wrong else height, 1),
                    "height_unit": "cm",
                    "weight": round(chance.gauss(72, 11), 1),
                    "weight_unit": "kg",
                    "age": round(chance.gauss(38, 12)),
                    "gender": chance.choice(["female", "male"]),
                    "category": chance.choice(["shoes", "shirts"]),
                    "recommended_size": chance.choice(["S", "M", "L"]),
                    "fit_preference": chance.choice(["slim", "regular"]),
                    "app_version": "5.0.0",
                }
                records.append(("widget-event", moment, json.dumps(event).encode(), shop.encode()))
    return sorted(records, key=lambda record: record[1])


class Watch:
    """A worker, Prometheus, Alertmanager, and a receiver of what they tell."""

    def __init__(self, stage: Stage, folder: Path, told: Receiver) -> None:
        self.stage = stage
        self.told = told
        self.folder = folder
        self.worker_port, self.alertmanager_port = free_port(), free_port()
        names = ("page", "ticket", "client", "platform-page", "platform-ticket", "normalise")
        alerting = {
            "targets": [f"127.0.0.1:{self.worker_port}"],
            "receivers": {name: f"{told.url}/{name}" for name in names},
        }
        settings = folder / "streamwatch.yaml"
        alertmanager = {"url": f"http://127.0.0.1:{self.alertmanager_port}"}
        text = settings.read_text() + f"alerting: {json.dumps(alerting)}\n"
        settings.write_text(text + f"alertmanager: {json.dumps(alertmanager)}\n")

    def rules(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "streamwatch", "rules", *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )

    def start(self, stack: ExitStack) -> tuple[Server, Server]:
        self.rules("prometheus", "-o", "p", "--for", "0s", "--interval", "1s")
        self.rules("alertmanager", "-o", "a", "--wait", "1s")
        alertmanager = start_alertmanager(
            self.folder / "a/alertmanager.yml", self.folder / "am", self.alertmanager_port
        )
        stack.callback(alertmanager.stop)
        prometheus = start_prometheus(self.folder / "p/prometheus.yml", self.folder / "prom")
        stack.callback(prometheus.stop)
        return prometheus, alertmanager

    def start_worker(self, *arguments: str) -> Worker:
        worker = self.stage.start_worker(
            {
                "STREAMWATCH_METRICS_PORT": str(self.worker_port),
                "STREAMWATCH_WEBHOOK_URL": f"{self.told.url}/incidents",
            },
            arguments,
        )
        worker.wait_until_ready()
        return worker

    def notifications(self, alert: str, status: str) -> list[Post]:
        """What Alertmanager told of an alert in a state."""
        return [
            post
            for post in list(self.told.posts)
            if post.path != "/incidents"
            and any(
                one["labels"]["alertname"] == alert and one["status"] == status
                for one in post.body["alerts"]
            )
        ]

    def wait_until_told(self, alert: str, status: str, seconds: float = 60.0) -> Post:
        try:
            wait_for(lambda: bool(self.notifications(alert, status)), f"{alert} {status}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; told were {self.names()}") from error
        return self.notifications(alert, status)[-1]

    def names(self) -> set[tuple[str, str]]:
        return {
            (one["labels"]["alertname"], one["status"])
            for post in list(self.told.posts)
            if post.path != "/incidents"
            for one in post.body["alerts"]
        }


@pytest.fixture
def watch(tmp_path: Path, kafka: str, topic_name: Callable[[str], str]) -> Iterator[Watch]:
    database = f"sqlite:///{tmp_path / 'streamwatch.db'}"
    stage = Stage(tmp_path, topic_name("alert"), kafka, database)
    with stage.closing(), receiver() as told:
        yield Watch(stage, tmp_path, told)


def test_a_fault_reaches_a_person_and_is_taken_back_when_it_ends(watch: Watch) -> None:
    with ExitStack() as stack:
        watch.start_worker()
        prometheus, alertmanager = watch.start(stack)
        watch.stage.send(_days(range(FAULTY.stop + 1)))
        post = watch.wait_until_told("ShopMeanDeparted", "firing")
        _says_what_is_wrong(post)
        assert post.path in {"/client", "/ticket"}
        active = json.loads(alertmanager.get("/api/v2/alerts?active=true"))
        assert {one["labels"]["shop"] for one in active if "shop" in one["labels"]} == {DEPARTED}
        _every_panel_of_the_dashboards_has_data_or_says_why_not(prometheus)

        watch.stage.send(_days(range(FAULTY.stop + 1, FAULTY.stop + 8)))
        resolved = watch.wait_until_told("ShopMeanDeparted", "resolved")
        assert resolved.path == post.path
        _incidents_were_posted_once(watch.told.posts)
        pages = {name for name, _ in watch.names() if name.startswith("Streamwatch")}
        assert pages == set(), "nothing is wrong with streamwatch itself"


def test_a_worker_that_is_killed_pages_and_is_taken_back(watch: Watch) -> None:
    with ExitStack() as stack:
        worker = watch.start_worker()
        watch.start(stack)
        watch.stage.send(_days(range(2)))
        watch.stage.wait_until_read()
        worker.kill()
        post = watch.wait_until_told("StreamwatchWorkerDown", "firing")
        assert post.path == "/platform-page"
        watch.start_worker()
        watch.wait_until_told("StreamwatchWorkerDown", "resolved")


def _says_what_is_wrong(post: Post) -> None:
    """Shop, value, expectation, band, since when, cause, and where to read on."""
    (alert,) = post.body["alerts"]
    assert alert["labels"]["shop"] == DEPARTED
    assert alert["labels"]["kpi"] == "mean.height"
    assert alert["labels"]["direction"] == "low"
    notes = alert["annotations"]
    assert (
        notes["summary"] == f"{DEPARTED}, widget-event: the mean height is lower than it usually is"
    )
    words = notes["description"]
    number = r"(\d[\d.]*)"
    found = re.search(
        f"is {number} meters, where {number} was expected and {number} to {number} is usual", words
    )
    assert found, words
    value, expected, lower, upper = (float(group) for group in found.groups())
    assert 0.6 < value < 0.75
    assert 1.5 < lower < expected < upper < 1.9
    assert f"since {time.strftime('%Y-%m-%d', time.gmtime(_first_fault()))}" in words
    assert "Likely cause: " in words
    assert notes["runbook_url"].endswith("/runbooks/ShopMeanDeparted.md")
    assert f"var-shop={DEPARTED}" in notes["dashboard_url"]


def _first_fault() -> float:
    return (FIRST_DAY + FAULTY.start * DAY_MS) / 1000


def _every_panel_of_the_dashboards_has_data_or_says_why_not(prometheus: Server) -> None:
    panels = {
        (board["uid"], panel["title"]): panel
        for board in grafana_files(Settings()).values()
        for panel in board.get("panels", [])
    }
    empty = {
        name for name, panel in panels.items() if not any(_answers(prometheus, panel["targets"]))
    }
    silent = {name for name in empty if "noValue" not in panels[name]["fieldConfig"]["defaults"]}
    assert silent == set()
    assert len(panels) - len(empty) > 25


def _answers(prometheus: Server, targets: Sequence[dict[str, Any]]) -> Iterator[bool]:
    """Whether each query finds series."""
    for target in targets:
        expr = target["expr"].replace("$shop", DEPARTED)
        expr = expr.replace("$event_type", ".*").replace("$kpi", ".*")
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expr})
        answer: dict[str, Any] = json.loads(prometheus.get(path))
        assert answer["status"] == "success", expr
        yield bool(answer["data"]["result"])


def _incidents_were_posted_once(posts: Sequence[Post]) -> None:
    events = [post for post in posts if post.path == "/incidents"]
    ids = [post.headers["ce-id"] for post in events]
    assert len(set(ids)) == len(ids)
    kinds = {post.headers["ce-type"] for post in events}
    assert kinds == {"streamwatch.incident.open", "streamwatch.incident.closed"}
    heights = [post for post in events if post.body["key"]["kpi"] == "mean.height"]
    assert {post.body["key"]["shop"] for post in heights} == {DEPARTED}
