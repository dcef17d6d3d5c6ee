"""The story of the project: a stage of ours breaks for one app version; who finds it, and how.

On real Kafka, Prometheus and Alertmanager, once with SQLite and once with PostgreSQL. Five weeks
pass in seconds, since records carry their own time.
"""

import json
import os
import random
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect
from tests.integration.stage import Stage, wait_for
from tests.integration.test_alerting import DAY_MS, FIRST_DAY, Record, Watch
from tests.receiver import receiver
from tests.unit.web.fleet_of_shops import SECRET, get

from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.web.access import Access
from streamwatch.adapters.web.site import Site

SHOPS = ("shop-001", "shop-002", "shop-003")
BROKEN = "shop-002"
NEW, OLD = "5.0.0", "4.2.0"
NEW_SHARE = 0.3
EVENTS_A_DAY = 90
BREAKS, FIXED, END = 24, 28, 36
INCH = 2.54
PERSON = "zz-jane"
LABELS = (
    "fault,shop,event_type,kpi,segment,start,end,origin,argument\n"
    f"stage-bug,{BROKEN},widget-event,mean.height,all,"
    f"2026-09-25T00:00:00Z,2027-01-01T00:00:00Z,normalise,normalise/{NEW}\n"
)
FULL_TAP = "event: widget-event\nafter: [decode, normalise]\ncolumns: [height, app_version]\n"


def records_of(days: range) -> list[Record]:
    """Widget events that are right in every way, some of them of the new app version."""
    records: list[Record] = []
    for day in days:
        for shop in SHOPS:
            chance = random.Random(f"{shop}/{day}")  # noqa: S311
            for number in range(EVENTS_A_DAY + chance.randrange(9)):
                moment = FIRST_DAY + day * DAY_MS + number * (DAY_MS // 100)
                event = {
                    "event_id": f"{shop}/{day}/{number}",
                    "shop": shop,
                    "time": moment,
                    "shopper": f"{PERSON}-{shop}-{number}@shopper.example",
                    "height": round(chance.gauss(172, 9), 1),
                    "height_unit": "cm",
                    "weight": round(chance.gauss(72, 11), 1),
                    "weight_unit": "kg",
                    "age": round(chance.gauss(38, 12)),
                    "recommended_size": chance.choice(["S", "M", "L"]),
                    "fit_preference": chance.choice(["slim", "regular"]),
                    "gender": chance.choice(["female", "male"]),
                    "category": chance.choice(["shoes", "shirts"]),
                    "app_version": NEW if chance.random() < NEW_SHARE else OLD,
                }
                records.append(("widget-event", moment, json.dumps(event).encode(), shop.encode()))
    return sorted(records, key=lambda record: record[1])


@pytest.fixture(params=["sqlite", "postgresql"])
def watch(
    request: pytest.FixtureRequest, tmp_path: Path, kafka: str, topic_name: Callable[[str], str]
) -> Iterator[Watch]:
    """A worker's folder without any tap, and those who are told."""
    database = (
        f"sqlite:///{tmp_path / 'streamwatch.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres")
    )
    stage = Stage(tmp_path, topic_name("story"), kafka, database)
    for file in (tmp_path / "tap_config").iterdir():
        file.unlink()
    (tmp_path / "labels.csv").write_text(LABELS)
    with stage.closing(), receiver() as told:
        yield Watch(stage, tmp_path, told)


def streamwatch(watch: Watch, *arguments: str) -> str:
    """What a command prints."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("STREAMWATCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "streamwatch", *arguments],
        cwd=watch.folder, capture_output=True, text=True, check=False, timeout=180, env=own,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def incident(watch: Watch) -> dict[str, str]:
    """The day's incident of the broken shop's height."""
    found = watch.stage.rows(
        f"SELECT id, status, origin FROM incidents WHERE shop = '{BROKEN}'"
        " AND kpi = 'mean.height' AND segment = 'all' AND span = 'day'"
    )
    assert len(found) == 1, found
    return dict(zip(("id", "status", "origin"), map(str, found[0]), strict=True))


def results(watch: Watch, sql: str) -> list[dict[str, Any]]:
    """The rows of a printed query, which goes to the driver as it stands."""
    with watch.stage.engine.connect() as connection:
        return [dict(row._mapping) for row in connection.exec_driver_sql(sql)]


def test_a_broken_stage_is_told_found_seen_mended_and_over(watch: Watch) -> None:
    with ExitStack() as stack:
        broken = watch.start_worker("--stage-bugs", "labels.csv")
        watch.start(stack)
        watch.stage.send(records_of(range(FIXED - 1)))
        post = watch.wait_until_told("ShopStageFault", "firing")
        assert "our own stage normalise" in post.body["alerts"][0]["annotations"]["description"]
        assert {one["labels"]["shop"] for one in post.body["alerts"]} == {BROKEN}

        id_ = incident(watch)["id"]
        told = streamwatch(watch, "diagnose", id_)
        assert "our stage normalise" in told
        assert f"app_version {NEW}: 100% of the affected records" in told
        assert incident(watch)["origin"] == "normalise"
        _the_printed_sql_shows_it(watch, id_)

        (watch.folder / "tap_config" / "full.yaml").write_text(FULL_TAP)
        streamwatch(watch, "taps", "reload")
        watch.stage.send(records_of(range(FIXED - 1, FIXED)))
        watch.stage.wait_until_read()
        _the_tap_shows_every_record_of_a_day(watch)

        assert broken.terminate() == 0
        watch.start_worker()
        watch.stage.send(records_of(range(FIXED, END)))
        wait_for(lambda: incident(watch)["status"] == "closed", "the incident closes")
        watch.wait_until_told("ShopStageFault", "resolved")
        assert small_heights(watch, FIXED) == []
        _nobody_is_named_anywhere(watch)


def _nobody_is_named_anywhere(watch: Watch) -> None:
    """Not in any table, log, metric, alert or page."""
    engine = watch.stage.engine
    with reading(engine) as connection:
        for table in inspect(connection).get_table_names():
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            stored = b"".join(_bytes_of(value) for row in rows for value in row)
            assert PERSON.encode() not in stored, table
    logs = [file.read_text() for file in watch.folder.glob("worker-*.log")]
    assert len(logs) == 2
    with urllib.request.urlopen(f"http://127.0.0.1:{watch.worker_port}/metrics") as answer:
        metrics = answer.read().decode()
    assert "streamwatch_incident" in metrics
    told = [str(post.body) for post in watch.told.posts]
    site = Site(engine=engine, access=Access(SECRET), now_ms=lambda: FIRST_DAY + END * DAY_MS)
    pages = []
    for path, query in (
        ("/", {}), ("/shops", {}), ("/shop", {"name": BROKEN}),
        ("/incident", {"id": incident(watch)["id"]}), ("/api/v1/incidents", {}),
    ):  # fmt: skip
        page = get(site, path, **query)
        assert page.status == HTTPStatus.OK, path
        pages.append(page.body.decode())
    assert BROKEN in "".join(pages)
    for text in (*logs, metrics, *told, *pages):
        assert PERSON not in text


def _bytes_of(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode()


def _the_printed_sql_shows_it(watch: Watch, id_: str) -> None:
    asked = json.loads(streamwatch(watch, "diagnose", id_, "--json"))
    answers = {one["shows"]: results(watch, one["sql"]) for one in asked["queries"]}
    assert all(answers.values()), {shows: len(rows) for shows, rows in answers.items()}
    stages = answers["the shop's days at every stage"]
    after = {
        stage: [row["mean"] for row in stages if row["stage"] == stage]
        for stage in ("decode", "validate", "normalise", "segment")
    }
    assert min(after["validate"]) > 168
    assert min(after["normalise"]) < 150
    changed = {row["stage"] for row in stages if row["changed"]}
    assert changed == {"normalise"}
    versions = answers["the day and the week before by app_version"]
    assert {row["value"] for row in versions if row["changed"]} == {NEW}


def small_heights(watch: Watch, since: int) -> list[dict[str, Any]]:
    """What the tap holds of heights that no shopper has, from a day on."""
    day = f"2026-09-{since + 1:02d}" if since < 30 else f"2026-10-{since - 29:02d}"
    return results(
        watch,
        "SELECT n.app_version, n.height AS after, d.height AS before"
        " FROM tap_widget_event_normalise n JOIN tap_widget_event_decode d"
        " USING (topic, partition, epoch, record_offset)"
        f" WHERE n.shop = '{BROKEN}' AND n.height < 100 AND n.arrived_at >= '{day}'",
    )


def _the_tap_shows_every_record_of_a_day(watch: Watch) -> None:
    sent = records_of(range(FIXED - 1, FIXED))
    of_broken = [value or b"" for _, _, value, key in sent if key == BROKEN.encode()]
    new = sum(NEW.encode() in value for value in of_broken)
    for stage in ("decode", "normalise"):
        (row,) = results(watch, f"SELECT count(*) AS n FROM tap_widget_event_{stage}")
        assert row["n"] == len(sent)
    small = small_heights(watch, FIXED - 1)
    assert len(small) == new > 15
    assert {row["app_version"] for row in small} == {NEW}
    assert {round(row["before"] / row["after"], 2) for row in small} == {INCH}
