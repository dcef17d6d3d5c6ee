"""Taps on running workers: exchanged without a restart, joined with other services, frozen."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer
from tests.integration.stage import SETTINGS, Stage, wait_for
from tests.integration.truth import simulated

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.client import tap

OWN_STAGE = """\
stages:
  - {{name: fit-correction, after: normalise, step: "mymodule:correct", events: [widget-event]}}
stage_topics:
  - {{name: recommender, topic: "{name}.recommended", event: widget-event, after: normalise}}
recorder: {{every: 0s, memory: 10MB}}
"""
MODULE = """\
from msgspec.structs import replace

def correct(event, occurred_ms):
    if event.app_version == "0.0.0":
        raise LookupError(event.event_id)
    return event if event.height is None else replace(event, height=event.height + 1)
"""


@pytest.fixture
def stage(
    tmp_path: Path, kafka: str, postgres: str, topic_name: Callable[[str], str]
) -> Iterator[Stage]:
    with Stage(tmp_path, topic_name("taps"), kafka, postgres).closing() as made:
        yield made


def run(stage: Stage, *arguments: str) -> "subprocess.CompletedProcess[str]":
    own = {k: v for k, v in os.environ.items() if not k.startswith("STREAMWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "streamwatch", *arguments],
        cwd=stage.folder, capture_output=True, text=True, check=False, timeout=120, env=own,
    )  # fmt: skip


def tapped(stage: Stage, name: str, table: str = "tap_widget_event_validate") -> int:
    (row,) = stage.rows(f"SELECT count(*) FROM {table} WHERE tap = '{name}'")
    return int(str(row[0]))


def test_new_taps_stand_without_a_restart_and_no_record_is_lost_or_doubled(stage: Stage) -> None:
    records = simulated(shops=4, days=4, largest=1_500)
    half = len(records) // 2
    workers = [stage.start_worker(), stage.start_worker()]
    stage.send(records[:half])
    stage.wait_until_read()
    (stage.folder / "tap_config" / "full.yaml").write_text(
        "event: widget-event\nafter: [validate]\n"
    )
    reloaded = run(stage, "taps", "reload", "--json")
    answer = json.loads(reloaded.stdout)
    assert reloaded.returncode == 0, reloaded.stdout
    assert len(answer["workers"]) == 2
    stage.send(records[half:])
    stage.wait_until_read()
    later = sum(kind == "widget-event" for kind, *_ in records[half:])
    assert tapped(stage, "full") == later
    (sums,) = stage.rows(
        "SELECT sum(aggregated), sum(rejected + dead_lettered), sum(gaps) FROM accounting"
    )
    assert [int(str(one)) for one in sums] == [len(records), 0, 0]
    assert all(worker.runs for worker in workers)


def test_a_wrong_tap_is_told_with_its_place_and_the_old_ones_stay(stage: Stage) -> None:
    records = simulated(shops=3, days=2, largest=300)
    worker = stage.start_worker()
    worker.wait_until_ready()
    file = stage.folder / "tap_config" / "full.yaml"
    file.write_text("event: widget-event\nafter: [validate]\nfilter: heigth > 1\n")
    wait_for(lambda: "did you mean `height`" in worker.log.read_text(), "the mistake is logged")
    assert "full.yaml:3:9: filter: no field is called `heigth`" in worker.log.read_text()
    stage.send(records)
    stage.wait_until_read()
    assert tapped(stage, "full") == 0
    assert tapped(stage, "widgets", "tap_widget_event_decode") > 0
    wait_for(
        lambda: "heigth" in str(stage.rows("SELECT error FROM tap_versions")), "the error is there"
    )
    wrong = run(stage, "taps", "reload")
    assert (wrong.returncode, "full.yaml:3:9" in wrong.stderr) == (2, True)
    file.unlink()
    assert run(stage, "taps", "reload").returncode == 0


@pytest.fixture
def wide_stage(
    tmp_path: Path, kafka: str, postgres: str, topic_name: Callable[[str], str]
) -> Iterator[Stage]:
    """With a stage of one's own, and one in another service."""
    name = topic_name("own")
    written = SETTINGS.format(database=postgres, bootstrap=kafka, name=name)
    (tmp_path / "mymodule.py").write_text(MODULE)
    made = Stage(tmp_path, name, kafka, postgres)
    settings_file = tmp_path / "streamwatch.yaml"
    settings_file.write_text(written + OWN_STAGE.format(name=name))
    (tmp_path / "tap_config" / "own.yaml").write_text(
        "event: widget-event\nafter: [fit-correction, recommender]\n"
        "columns: [height, app_version]\n"
    )
    made.settings = load_settings(settings_file, {})
    assert run(made, "topics", "create").returncode == 0
    assert run(made, "db", "upgrade").returncode == 0
    with made.closing():
        yield made


def events(count: int) -> list[dict[str, object]]:
    now = time.time_ns() // 1_000_000
    return [
        {
            "event_id": f"e-{number}", "shop": "shop-001", "time": now, "height": 170.0,
            "app_version": "0.0.0" if number % 10 == 0 else "5.0.0", "shopper": "zz-jane",
        }
        for number in range(count)
    ]  # fmt: skip


def test_own_stages_and_other_services_are_joined_in_one_query(
    wide_stage: Stage, kafka: str
) -> None:
    stage = wide_stage
    sent = events(200)
    worker = stage.start_worker()
    now = time.time_ns() // 1_000_000
    stage.send([("widget-event", now, json.dumps(one).encode(), b"k") for one in sent])
    producer = KafkaProducer(bootstrap_servers=kafka)
    for one in sent:
        tap(
            "recommender",
            one | {"height": 175.0},
            producer=producer,
            topic=f"{stage.name}.recommended",
        )
    producer.flush()
    producer.close()
    wait_for(
        lambda: tapped(stage, "own", "tap_widget_event_recommender") == 200, "all rows are there"
    )
    stage.wait_until_read()
    assert tapped(stage, "own", "tap_widget_event_fit_correction") == 180
    rejects = stage.rows("SELECT DISTINCT stage, reason FROM rejects")
    assert rejects == [("fit-correction", "exception:LookupError")]
    joined = stage.rows(
        "SELECT f.height, r.height, count(*) FROM tap_widget_event_fit_correction f "
        "JOIN tap_widget_event_recommender r ON r.shop = f.shop AND r.event_id = f.event_id "
        "GROUP BY 1, 2"
    )
    assert joined == [(171.0, 175.0, 180)]
    changes = stage.rows(
        "SELECT DISTINCT height_change FROM tap_widget_event_normalise_to_fit_correction"
    )
    assert {row[0] for row in changes} == {1.0, None}
    frozen = run(stage, "taps", "freeze", "--shop", "shop-001", "--json")
    assert json.loads(frozen.stdout)["rows"] > 100
    kept = str(stage.rows("SELECT fields FROM recorded_rows"))
    assert "170" in kept
    assert "jane" not in kept
    assert worker.runs
