"""Rotating and erasing a shop's key, as an operator does it."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.functional.command import streamwatch

NOW = 1_788_256_800_000


def lines(first: int) -> str:
    values = [
        {"event_id": f"e-{number}", "shop": shop, "time": NOW, "shopper": "jane", "height": 170}
        for number, shop in enumerate(("shop-001", "shop-002"), start=first)
    ]
    bad = {"event_id": f"bad-{first}", "shop": "shop-001", "time": NOW, "height": "tall"}
    records = [
        {"topic": "widget-event", "arrived": NOW, "value": value} for value in (*values, bad)
    ]
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tap_config").mkdir()
    (tmp_path / "tap_config" / "all.yaml").write_text("event: widget-event\nafter: [segment]\n")
    (tmp_path / "first.jsonl").write_text(lines(1))
    assert streamwatch(tmp_path, "watch", "first.jsonl").returncode == 0
    return tmp_path


def pseudonyms(folder: Path) -> dict[str, list[str]]:
    query = "SELECT shop, pseudonym FROM tap_widget_event_segment ORDER BY event_id"
    found: dict[str, list[str]] = {}
    with sqlite3.connect(folder / "streamwatch.db") as connection:
        for shop, pseudonym in connection.execute(query):
            found.setdefault(shop, []).append(pseudonym)
    return found


def watch_more(folder: Path) -> dict[str, list[str]]:
    (folder / "second.jsonl").write_text(lines(5))
    assert streamwatch(folder, "watch", "second.jsonl").returncode == 0
    return pseudonyms(folder)


def test_a_rotated_shop_gets_new_pseudonyms_and_keeps_its_rows(folder: Path) -> None:
    done = streamwatch(folder, "privacy", "rotate", "--shop", "shop-001", "--json")
    assert json.loads(done.stdout) == {"schema_version": 1, "shop": "shop-001", "rotated": True}
    found = watch_more(folder)
    assert len(set(found["shop-001"])) == 2
    assert len(set(found["shop-002"])) == 1


def test_an_erased_shop_has_no_rows_and_no_old_key(folder: Path) -> None:
    (old,) = pseudonyms(folder)["shop-001"]
    done = streamwatch(folder, "privacy", "erase", "--shop", "shop-001", "--yes", "--json")
    answer = json.loads(done.stdout)
    assert answer["forgotten"] is True
    assert answer["deleted"] == {"tap_widget_event_segment": 1, "rejects": 1}
    assert list(pseudonyms(folder)) == ["shop-002"]
    assert old not in watch_more(folder)["shop-001"]
    content = (folder / "streamwatch.db").read_bytes()
    assert b"jane" not in content


def test_an_unknown_shop_is_told(folder: Path) -> None:
    done = streamwatch(folder, "privacy", "erase", "--shop", "shop-01", "--yes")
    assert (done.returncode, "had no key to forget" in done.stdout) == (1, True)


def test_erasing_asks_first(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streamwatch", "privacy", "erase", "--shop", "shop-001"],
        cwd=folder, input="n\n", capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert done.returncode == 130
    assert "shop-001" in pseudonyms(folder)
