"""`streamwatch detect` as a user runs it."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.functional.command import Run

START = datetime(2026, 3, 2, tzinfo=UTC)
COLUMNS = ["timestamp", "value", "expected", "lower", "upper", "score", "verdict", "reason"]


def days(values: list[float]) -> str:
    lines = [f"{START + timedelta(days=n):%Y-%m-%d},{value:g}" for n, value in enumerate(values)]
    return "timestamp,value\n" + "\n".join(lines) + "\n"


def orders(rows: int = 60) -> list[float]:
    return [500.0 + n * 13 % 40 for n in range(rows)]


def test_every_row_comes_back_with_its_band_score_and_verdict(run: Run) -> None:
    values = orders()
    values[50] = 20.0
    Path("orders.csv").write_text(days(values))
    answer = run("detect", "orders.csv")
    rows = answer.rows
    assert list(rows[0]) == COLUMNS
    assert [row["value"] for row in rows] == [f"{value:g}" for value in values]
    assert answer.code == 1
    assert [n for n, row in enumerate(rows) if row["verdict"] == "unusual"] == [50]
    low, high = float(rows[50]["lower"]), float(rows[50]["upper"])
    assert 20 < low < float(rows[50]["expected"]) < high
    assert float(rows[50]["score"]) >= 0.5
    assert "1 unusual" in answer.err


def test_a_quiet_series_exits_with_0(run: Run) -> None:
    Path("orders.csv").write_text(days(orders()))
    answer = run("detect", "orders.csv")
    assert answer.code == 0
    assert {row["verdict"] for row in answer.rows} == {"warming", "usual"}


def test_several_shops_in_one_file_are_judged_apart(run: Run) -> None:
    lines = ["shop,timestamp,value"]
    for n, value in enumerate(orders()):
        day = f"{START + timedelta(days=n):%Y-%m-%dT%H:%M:%SZ}"
        lines += [f"large,{day},{value * 100:g}", f"small,{day},{value:g}"]
    lines.append(f"small,{START + timedelta(days=60):%Y-%m-%dT%H:%M:%SZ},50000")
    Path("shops.csv").write_text("\n".join(lines))
    rows = run("detect", "shops.csv").rows
    assert list(rows[0]) == [*COLUMNS, "shop"]
    assert [(row["shop"], row["value"]) for row in rows if row["verdict"] == "unusual"] == [
        ("small", "50000")
    ]


def test_bad_rows_are_kept_with_a_reason(run: Run) -> None:
    good = days(orders())
    bad = "soon,5\n2026-06-01,\n2026-06-01,nan\n2026-03-01,500\n2026-06-02\n\n2026-06-03,5,6,7\n"
    Path("orders.csv").write_text(good + bad)
    rows = run("detect", "orders.csv").rows[60:]
    assert [row["reason"] for row in rows[:5]] == [
        "the time cannot be read",
        "the value is no number",
        "the value is no number",
        "older than the row before it: not judged",
        "the value is no number",
    ]
    assert all(row["score"] == "" for row in rows[:5])
    assert rows[5]["value"] == "5"


@pytest.mark.parametrize("head", ["", "\n", "time,value\n", "a;b\n1;2\n"])
def test_a_file_without_the_columns_is_refused(run: Run, head: str) -> None:
    Path("series.csv").write_text(head)
    answer = run("detect", "series.csv")
    assert answer.code == 2
    assert "series.csv:1: no column `timestamp`" in answer.err


def test_seconds_milliseconds_and_semicolons_are_understood(run: Run) -> None:
    start = int(START.timestamp())
    lines = [f"{start + n * 86_400};{value:g}" for n, value in enumerate(orders())]
    Path("a.csv").write_text("Timestamp;Value\n" + "\n".join(lines))
    lines = [f"{(start + n * 86_400) * 1000};{value:g}" for n, value in enumerate(orders())]
    Path("b.csv").write_text("Timestamp;Value\n" + "\n".join(lines))
    first, second = run("detect", "a.csv").rows, run("detect", "b.csv").rows
    assert [row["score"] for row in first] == [row["score"] for row in second]
    assert first[-1]["verdict"] == "usual"


def test_json_tells_the_counts_and_the_unusual_rows_and_the_csv_goes_to_the_file(
    run: Run,
) -> None:
    values = orders()
    values[50] = 20.0
    Path("orders.csv").write_text(days(values))
    answer = run("detect", "orders.csv", "--json", "-o", "out.csv")
    body = json.loads(answer.out)
    assert body["schema_version"] == 1
    assert (body["rows"], body["unusual"]) == (60, 1)
    assert body["series"] == [{"shop": "", "kind": "count", "step_seconds": 86_400}]
    assert body["unusual_rows"][0]["value"] == "20"
    assert len(Path("out.csv").read_text().splitlines()) == 61


def test_the_kind_can_be_told(run: Run) -> None:
    Path("orders.csv").write_text(days(orders()))
    body = json.loads(run("detect", "orders.csv", "--kind", "value", "--json").out)
    assert body["series"][0]["kind"] == "value"


def test_it_reads_standard_input_and_writes_each_row_before_the_next_comes(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streamwatch", "detect", "-"],
        input=days(orders()),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 61
    assert done.stdout.splitlines()[-1].split(",")[6] == "usual"
