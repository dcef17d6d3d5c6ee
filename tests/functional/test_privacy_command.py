"""Rotating and erasing a shop's key, as an operator does it."""

import io
import json
import sqlite3
from pathlib import Path

import pytest
from tests.functional.command import Run

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
def folder(run: Run, tmp_path: Path) -> Path:
    (tmp_path / "tap_config").mkdir()
    (tmp_path / "tap_config" / "all.yaml").write_text("event: widget-event\nafter: [segment]\n")
    (tmp_path / "first.jsonl").write_text(lines(1))
    assert run("watch", "first.jsonl").code == 0
    return tmp_path


def pseudonyms(folder: Path) -> dict[str, list[str]]:
    query = "SELECT shop, pseudonym FROM tap_widget_event_segment ORDER BY event_id"
    found: dict[str, list[str]] = {}
    with sqlite3.connect(folder / "streamwatch.db") as connection:
        for shop, pseudonym in connection.execute(query):
            found.setdefault(shop, []).append(pseudonym)
    return found


def watch_more(run: Run, folder: Path) -> dict[str, list[str]]:
    (folder / "second.jsonl").write_text(lines(5))
    assert run("watch", "second.jsonl").code == 0
    return pseudonyms(folder)


def test_a_rotated_shop_gets_new_pseudonyms_and_keeps_its_rows(run: Run, folder: Path) -> None:
    done = run("privacy", "rotate", "--shop", "shop-001", "--json")
    assert json.loads(done.out) == {"schema_version": 1, "shop": "shop-001", "rotated": True}
    found = watch_more(run, folder)
    assert len(set(found["shop-001"])) == 2
    assert len(set(found["shop-002"])) == 1


def test_an_erased_shop_has_no_rows_and_no_old_key(run: Run, folder: Path) -> None:
    (old,) = pseudonyms(folder)["shop-001"]
    done = run("privacy", "erase", "--shop", "shop-001", "--yes", "--json")
    answer = json.loads(done.out)
    assert answer["forgotten"] is True
    assert answer["deleted"] == {"tap_widget_event_segment": 1, "rejects": 1}
    assert list(pseudonyms(folder)) == ["shop-002"]
    assert old not in watch_more(run, folder)["shop-001"]
    content = (folder / "streamwatch.db").read_bytes()
    assert b"jane" not in content


@pytest.mark.usefixtures("folder")
def test_an_unknown_shop_is_told(run: Run) -> None:
    done = run("privacy", "erase", "--shop", "shop-01", "--yes")
    assert (done.code, "had no key to forget" in done.out) == (1, True)


def test_erasing_asks_first(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("privacy", "erase", "--shop", "shop-001").code == 130
    assert "shop-001" in pseudonyms(folder)
