"""The ten questions of docs/taps.md have answers, and its files work."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from streamwatch.adapters.own_stages import load_own_stages
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.settings.tap_files import load_tap_files
from streamwatch.domain.settings import Settings
from streamwatch.taps.inline_tests import unmet

DOCUMENT = (Path(__file__).parents[2] / "docs" / "taps.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"\*\*(\d+)\. (.*?)\*\*.*?```sql\n(.*?)```", DOCUMENT, re.DOTALL)
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOCUMENT, re.DOTALL)


def run(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streamwatch", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr


def inspected(folder: Path, *options: str) -> None:
    """Simulated shops, of whom one sends inches for its last days, taken through the pipeline."""
    (folder / "tap_config").mkdir()
    for event in ("widget-event", "purchase", "return"):
        text = f"event: {event}\nafter: [decode, normalise, segment]\n"
        (folder / "tap_config" / f"all-{event}.yaml").write_text(text)
    run(
        folder, "simulate", "--shops", "4", "--days", "40", "--largest", "300", "--seed", "3",
        "--fault", "inches@shop-002:34", "--out", "events.jsonl", "--labels", "labels.csv",
    )  # fmt: skip
    lines = (folder / "events.jsonl").read_text().splitlines()
    unknown = [line.replace('"cm"', '"hands"') for line in lines[::100]]
    pairs = zip(lines[::100], unknown, strict=True)
    changed = {before: after for before, after in pairs if before != after}
    text = "\n".join(changed.get(line, line) for line in lines)
    (folder / "events.jsonl").write_text(text)
    run(folder, "watch", "events.jsonl", *options)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("taps")
    inspected(folder)
    return folder / "streamwatch.db"


def test_there_are_ten_questions() -> None:
    assert [number for number, *_ in QUESTIONS] == [str(one) for one in range(1, 11)]


@pytest.mark.parametrize("query", [one[2] for one in QUESTIONS], ids=[one[1] for one in QUESTIONS])
def test_every_question_has_an_answer(database: Path, query: str) -> None:
    with sqlite3.connect(database) as connection:
        assert connection.execute(query).fetchall()


def test_the_first_answer_names_the_client(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        rows = connection.execute(QUESTIONS[0][2]).fetchall()
    low = {row[1] for row in rows if row[3] is not None and row[3] < 100}
    assert low == {row[1] for row in rows}


def test_the_tap_of_the_page_passes_its_own_tests(tmp_path: Path) -> None:
    (text,) = [text for kind, text in BLOCKS if kind == "yaml" and text.startswith("event:")]
    (tmp_path / "page.yaml").write_text(text, encoding="utf-8")
    (one,) = load_tap_files(tmp_path, Settings())
    assert len(one.tests) == 2
    assert [text for test in one.tests for text in unmet(one.tap, test)] == []


def test_the_stages_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    kinds = ("stages:", "stage_topics:")
    texts = [text for kind, text in BLOCKS if kind == "yaml" and text.startswith(kinds)]
    assert len(texts) == 2
    file = tmp_path / "streamwatch.yaml"
    file.write_text("\n".join(texts), encoding="utf-8")
    (module,) = [text for kind, text in BLOCKS if kind == "python" and "def correct" in text]
    (tmp_path / "mymodule.py").write_text(module, encoding="utf-8")
    assert list(load_own_stages(load_settings(file, {}), file)) == ["fit-correction"]
