"""The notebook of the examples runs, cell by cell, and shows what it says."""

import contextlib
import io
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook" / "taps.ipynb"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``streamwatch`` of this checkout on the path, and an empty folder to work in."""
    script = tmp_path / "bin" / "streamwatch"
    script.parent.mkdir()
    source, python = shlex.quote(str(ROOT / "src")), shlex.quote(sys.executable)
    script.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {python} -m streamwatch "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.mark.usefixtures("program")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_notebook_runs_and_three_tools_agree() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        for cell in cells:
            if cell["cell_type"] == "code":
                exec(compile(cell["source"], cell["id"], "exec"), names)  # noqa: S102  # our own file
    by_duckdb = {
        (stage, shop, behind): mean for stage, shop, behind, _, mean in names["by_stage"].fetchall()
    }
    assert by_duckdb["decode", "shop-002", True] < 80 < by_duckdb["decode", "shop-002", False]
    assert by_duckdb["decode", "shop-001", True] > 160
    rows, last = names["rows"], names["heights"].row(-1, named=True)
    same_day = rows[
        (rows.shop == "shop-002")
        & (rows.stage == last["stage"])
        & (rows.arrived_at.dt.date == last["day"])
    ]
    assert same_day.height.mean() == pytest.approx(last["mean"])
    assert names["change"] == 0
    assert "largest change 0.000" in shown.getvalue()
