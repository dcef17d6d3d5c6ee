"""A running worker takes new taps over, keeps the old ones when the new are wrong, and freezes."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text

from streamwatch.adapters.inspection import Inspection
from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.adapters.settings.tap_folder import folder_version
from streamwatch.adapters.sql.recorded import ask_to_freeze, count_recorded
from streamwatch.adapters.sql.shop_keys import SqlSalts, erase, rotate
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tap_versions import workers
from streamwatch.domain.events import Return
from streamwatch.domain.settings import Settings
from streamwatch.stages.pseudonymise import ShopKeys
from streamwatch.taps.live import LiveTaps, TapSet
from streamwatch.taps.recorder import Recorder
from streamwatch.taps.take import Where

NOW = 1_788_256_800_000
TAP = "event: return\nafter: [decode]\n"


class Stopped:
    """A clock that stands still."""

    def now_ms(self) -> int:
        return NOW


class Worker:
    """What an inspection needs of a worker, and the folder that it looks at."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.registry = CollectorRegistry()
        self.live = LiveTaps(TapSet(version=folder_version(folder)))
        self.salts = SqlSalts(engine)
        self.keys = ShopKeys(b"k" * 32, self.salts.salt_of)
        self.recorder = Recorder(0, 1_000_000)
        self.store = SqlStore(engine)
        self.inspection = Inspection(
            "here:1", Settings(taps=str(folder)), self.live, self.keys, self.salts, self.recorder,
            self.store, engine, Stopped(), WorkerMetrics(self.registry, Build("1", "3", "0")),
        )  # fmt: skip

    def look(self) -> None:
        """Twice, since a change counts once the files stay as they are."""
        self.inspection.look()
        self.inspection.look()

    @property
    def names(self) -> list[str]:
        by_stage = self.live.current.by_event.get("return", {})
        return [tap.name for taps in by_stage.values() for tap in taps]


@pytest.fixture
def worker(engine: Engine, tmp_path: Path) -> Worker:
    return Worker(engine, tmp_path / "taps")


def test_a_new_tap_is_taken_over(worker: Worker, tmp_path: Path, engine: Engine) -> None:
    worker.look()
    assert worker.names == []
    (tmp_path / "taps" / "one.yaml").write_text(TAP)
    worker.look()
    assert worker.names == ["one"]
    (row,) = workers(engine, NOW)
    assert row.version == row.offered == folder_version(tmp_path / "taps")
    assert row.error == ""


def test_a_file_that_is_still_written_waits_until_it_stays_as_it_is(
    worker: Worker, tmp_path: Path
) -> None:
    worker.look()
    (tmp_path / "taps" / "one.yaml").write_text(TAP)
    worker.inspection.look()
    assert worker.names == []
    worker.inspection.look()
    assert worker.names == ["one"]


def test_a_wrong_file_leaves_the_old_taps_and_is_told(
    worker: Worker, tmp_path: Path, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "taps" / "one.yaml"
    file.write_text(TAP)
    worker.look()
    version = worker.live.current.version
    file.write_text(f"{TAP}filter: quantty > 1\n")
    with caplog.at_level(logging.ERROR):
        worker.look()
    mistake = "one.yaml:3:9: filter: no field is called `quantty`; did you mean `quantity`?"
    assert mistake in caplog.text
    assert worker.live.current.version == version
    assert worker.registry.get_sample_value("streamwatch_taps_right") == 0
    (row,) = workers(engine, NOW)
    assert row.version == version != row.offered
    assert mistake in row.error
    file.write_text(TAP)
    worker.look()
    assert worker.registry.get_sample_value("streamwatch_taps_right") == 1
    assert workers(engine, NOW)[0].error == ""


def test_a_folder_behind_a_swapped_link_is_noticed(engine: Engine, tmp_path: Path) -> None:
    for version, name in (("..1", "old"), ("..2", "new")):
        (tmp_path / version).mkdir()
        (tmp_path / version / f"{name}.yaml").write_text(TAP)
    data = tmp_path / "..data"
    data.symlink_to("..1", target_is_directory=True)
    worker = Worker(engine, data)
    worker.look()
    data.unlink()
    data.symlink_to("..2", target_is_directory=True)
    worker.look()
    assert worker.names == ["new"]


def test_a_folder_that_is_gone_leaves_the_old_taps(worker: Worker, tmp_path: Path) -> None:
    file = tmp_path / "taps" / "one.yaml"
    file.write_text(TAP)
    worker.look()
    file.unlink()
    (tmp_path / "taps").rmdir()
    worker.look()
    assert worker.names == ["one"]
    assert worker.registry.get_sample_value("streamwatch_taps_right") == 0


def test_a_renamed_column_gets_a_column_of_its_own(
    worker: Worker, tmp_path: Path, engine: Engine
) -> None:
    lines = "columns: [{quantity: {rename: pieces}}]\n"
    (tmp_path / "taps" / "one.yaml").write_text(TAP + lines)
    worker.look()
    assert "pieces" in worker.store.tap_tables["return", "decode"].columns
    with engine.connect() as connection:
        assert connection.execute(text("SELECT pieces FROM tap_return_decode")).all() == []


def recorded(worker: Worker, shop: str, count: int = 2) -> None:
    where = Where("return", "return", 0, 0)
    for offset in range(count):
        event = Return(f"e-{offset}", shop, size="M")
        worker.recorder.add(where, "decode", event, (offset, NOW, NOW), {"size": "M"})


def test_a_request_writes_the_recording_down_once(worker: Worker, engine: Engine) -> None:
    worker.look()
    recorded(worker, "shop-001")
    recorded(worker, "shop-002")
    reason = ask_to_freeze(engine, "shop-001", NOW)
    worker.look()
    recorded(worker, "shop-001", 5)
    worker.look()
    assert count_recorded(engine, reason) == 2
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT shop, stage, fields FROM recorded_rows")).all()
    assert {tuple(row) for row in rows} == {("shop-001", "decode", '{"size":"M"}')}


def test_what_was_asked_before_the_worker_began_is_left(worker: Worker, engine: Engine) -> None:
    reason = ask_to_freeze(engine, "shop-001", NOW)
    recorded(worker, "shop-001")
    worker.look()
    assert count_recorded(engine, reason) == 0


def test_all_workers_give_a_shop_the_same_salt(engine: Engine) -> None:
    first, second = SqlSalts(engine), SqlSalts(engine)
    assert first.salt_of("shop-001") == second.salt_of("shop-001")
    assert first.salt_of("shop-001") != first.salt_of("shop-002")


@pytest.mark.parametrize("forget", [rotate, erase])
def test_a_new_salt_ends_the_linking_in_running_workers(
    worker: Worker, engine: Engine, forget: Callable[..., Any]
) -> None:
    before = worker.keys.pseudonym("shop-001", "jane")
    other = worker.keys.pseudonym("shop-002", "jane")
    worker.look()
    assert worker.keys.pseudonym("shop-001", "jane") == before
    assert forget(engine, "shop-001", NOW, b"n" * 32)
    worker.look()
    assert worker.keys.pseudonym("shop-001", "jane") != before
    assert worker.keys.pseudonym("shop-002", "jane") == other
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT salt FROM shop_keys WHERE shop = 'shop-001'"))
        assert stored.scalar_one() == b"n" * 32
