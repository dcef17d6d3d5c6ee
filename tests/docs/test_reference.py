"""The reference pages are those that the code makes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def test_the_reference_is_that_of_the_code(tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "dev" / "reference.py"), str(tmp_path)]
    subprocess.run(script, check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    made = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    there = {str(file.relative_to(REFERENCE)) for file in REFERENCE.rglob("*") if file.is_file()}
    assert there == made
    stale = [
        name for name in made if (tmp_path / name).read_text() != (REFERENCE / name).read_text()
    ]
    assert stale == [], "run: make generated"
