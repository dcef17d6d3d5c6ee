"""`streamwatch watch` as a user runs it: a file in, and what became of every line."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from tests.functional.command import Answer, Run
from tests.functional.lines import counts, envelope, purchase, widget, write_lines


def test_every_line_of_a_file_is_told_by_topic(run: Run, tmp_path: Path) -> None:
    lines = [envelope("widget-event", widget(n)) for n in range(5)]
    lines += [envelope("purchase", purchase(n)) for n in range(3)]
    write_lines(tmp_path / "events.jsonl", lines)
    answer = run("watch", "events.jsonl", "--json")
    assert answer.code == 0
    assert answer.json["schema_version"] == 1
    assert answer.json["database"] == "sqlite:///streamwatch.db"
    assert counts(answer, "widget-event") == (5, 0, 0, 0)
    assert counts(answer, "purchase") == (3, 0, 0, 0)
    assert counts(answer, "return") == (0, 0, 0, 0)
    assert answer.json["rejects"] == []


def test_text_for_people_ends_with_what_to_do_next(run: Run, tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", [envelope("purchase", purchase(1))])
    (tmp_path / "my settings.yaml").write_text("database: sqlite:///mine.db\n")
    answer = run("watch", "events.jsonl", "--settings", "my settings.yaml")
    assert answer.code == 0
    assert "where every line went" in answer.out
    assert "1 lines in" in answer.err
    last = answer.err.splitlines()[-1]
    assert last == "next: streamwatch incidents list --settings 'my settings.yaml'"
    assert (tmp_path / "mine.db").exists()


@pytest.mark.parametrize("form", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_the_same_rows_count_alike_in_every_format(run: Run, tmp_path: Path, form: str) -> None:
    (tmp_path / "streamwatch.yaml").write_text(
        "sources: [{topic: purchase, event: purchase, types: lenient}]\n"
    )
    table = [
        {"event_id": f"p-{n}", "shop": "shop-001", "time": "2026-03-02T10:00:00Z", "price": 2.5 * n}
        for n in range(1, 5)
    ]
    path = tmp_path / f"purchases.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(table), path)
    elif form.startswith("csv"):
        body = "\n".join([",".join(table[0]), *(",".join(map(str, r.values())) for r in table)])
        path.write_bytes(body.encode())
    else:
        write_lines(path, [json.dumps(row).encode() for row in table])
    if form.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    answer = run("watch", path.name, "--topic", "purchase", "--json")
    assert counts(answer, "purchase") == (4, 0, 0, 0)


def test_standard_input_and_a_pipe_are_read_to_their_end(tmp_path: Path) -> None:
    lines = b"".join(envelope("purchase", purchase(n)) + b"\n" for n in range(4))
    packed = gzip.compress(lines)
    read_end, write_end = os.pipe()
    os.write(write_end, lines)
    os.close(write_end)
    try:
        for file, given, passed in (("-", packed, ()), (f"/dev/fd/{read_end}", b"", (read_end,))):
            run = subprocess.run(
                [sys.executable, "-m", "streamwatch", "watch", file, "--json"],
                cwd=tmp_path,
                input=given,
                capture_output=True,
                pass_fds=passed,
                timeout=180,
                check=False,
            )
            assert run.returncode == 0, run.stderr
            assert counts(Answer(0, run.stdout.decode(), ""), "purchase") == (4, 0, 0, 0)
    finally:
        os.close(read_end)


def test_an_empty_file_is_no_mistake(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")
    answer = run("watch", "empty.jsonl")
    assert answer.code == 0
    assert "there was no line to read" in answer.err
