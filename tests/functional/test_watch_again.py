"""A file that `streamwatch watch` is given again, grown, or behind a newer one."""

import gzip
from pathlib import Path

from tests.functional.command import Run
from tests.functional.lines import DAY_MS, MONDAY_MS, counts, envelope, purchase, rows, write_lines


def test_a_file_that_was_read_before_counts_once(run: Run, tmp_path: Path) -> None:
    lines = [envelope("purchase", purchase(n)) for n in range(4)]
    write_lines(tmp_path / "events.jsonl", [*lines, b"broken"])
    assert counts(run("watch", "events.jsonl", "--json"), "purchase") == (4, 0, 1, 0)
    packed = gzip.compress((tmp_path / "events.jsonl").read_bytes())
    (tmp_path / "renamed.jsonl.gz").write_bytes(packed)
    for name in ("events.jsonl", "renamed.jsonl.gz"):
        assert counts(run("watch", name, "--json"), "purchase") == (0, 0, 0, 5)
    assert "5 lines had been read before" in run("watch", "events.jsonl").err
    assert rows(tmp_path, "SELECT sum(aggregated), sum(dead_lettered) FROM accounting") == [(4, 1)]


def test_another_file_adds_even_if_it_begins_alike(run: Run, tmp_path: Path) -> None:
    lines = [envelope("purchase", purchase(n)) for n in range(4)]
    write_lines(tmp_path / "one.jsonl", lines)
    write_lines(tmp_path / "two.jsonl", [*lines[:3], envelope("purchase", purchase(9))])
    assert counts(run("watch", "one.jsonl", "--json"), "purchase") == (4, 0, 0, 0)
    assert counts(run("watch", "two.jsonl", "--json"), "purchase") == (4, 0, 0, 0)
    assert rows(tmp_path, "SELECT sum(aggregated) FROM accounting") == [(8,)]


def test_a_file_that_grew_goes_on_behind_what_was_read(run: Run, tmp_path: Path) -> None:
    lines = [envelope("purchase", purchase(n)) for n in range(9)]
    write_lines(tmp_path / "events.jsonl", lines[:1])
    assert counts(run("watch", "events.jsonl", "--json"), "purchase") == (1, 0, 0, 0)
    write_lines(tmp_path / "events.jsonl", lines[:4])
    assert counts(run("watch", "events.jsonl", "--json"), "purchase") == (3, 0, 0, 1)
    write_lines(tmp_path / "events.jsonl", lines)
    assert counts(run("watch", "events.jsonl", "--json"), "purchase") == (5, 0, 0, 4)
    assert rows(tmp_path, "SELECT sum(aggregated) FROM accounting") == [(9,)]


def test_old_records_behind_newer_ones_are_refused_and_explained(run: Run, tmp_path: Path) -> None:
    write_lines(tmp_path / "new.jsonl", [envelope("purchase", purchase(1))])
    old = purchase(2, time=MONDAY_MS - 30 * DAY_MS)
    write_lines(tmp_path / "old.jsonl", [envelope("purchase", old)])
    assert run("watch", "new.jsonl").code == 0
    answer = run("watch", "old.jsonl")
    assert "too-late" in answer.out
    assert "older than their shop's newest by more than `horizon`" in answer.err
