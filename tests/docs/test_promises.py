"""Every promise of the operations page names something that shows it, and that exists."""

import re
from pathlib import Path

import pytest
from tests.chaos.schedule import CATALOGUE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SOURCES = {file.name: file.read_text(encoding="utf-8") for file in ROOT.glob("tests/**/*.py")}
SECTIONS = ("## What is promised", "## When something is away")


def rows(section: str) -> list[str]:
    """The rows of a section's table."""
    part = PAGE.partition(section)[2].partition("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("| ")][1:]


def shown_by(row: str) -> list[str]:
    """What the last column names."""
    return re.findall(r"`([^`]+)`", row.rstrip(" |").rpartition(" | ")[2])


@pytest.mark.parametrize("row", [row for section in SECTIONS for row in rows(section)])
def test_what_shows_a_promise_exists(row: str) -> None:
    named = shown_by(row)
    assert named, row
    for name in named:
        if name.startswith(("tests/", "benchmarks/")):
            assert (ROOT / name).exists(), name
        elif name.endswith(".py"):
            assert name in SOURCES, name
        elif name.startswith("test_"):
            assert any(f"def {name}(" in text for text in SOURCES.values()), name
        else:
            stem = name.rstrip("… ")
            assert any(fault.startswith(stem) for fault in CATALOGUE), name


def test_there_are_promises() -> None:
    assert len(rows(SECTIONS[0])) >= 8
    assert len(rows(SECTIONS[1])) >= 15
