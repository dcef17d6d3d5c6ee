"""The Dockerfile: its linter, its context, and that a wheel can be made of what it copies."""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def _copied() -> list[tuple[list[str], str]]:
    """The COPY instructions of the build stage: sources and destination."""
    lines = re.findall(r"^COPY ([^-\n].*)$", DOCKERFILE, re.MULTILINE)
    return [(line.split()[:-1], line.split()[-1]) for line in lines]


def _in_context(path: str) -> bool:
    """Whether the engine is given a file, by .dockerignore; the last rule that fits decides."""
    given = True
    for rule in (line for line in IGNORED if line and not line.startswith("#")):
        pattern = rule.removeprefix("!").removeprefix("**/")
        parts = Path(path).parts
        ahead = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        deep = parts if rule.startswith("**/") else ahead
        if any(fnmatch.fnmatch(one, pattern) for one in deep):
            given = rule.startswith("!")
    return given


@pytest.fixture
def build_folder(tmp_path: Path) -> Path:
    """What lies in the build stage's working folder after its COPY instructions."""
    folder = tmp_path / "build"
    folder.mkdir()
    for sources, destination in _copied():
        for source in sources:
            found = ROOT / source
            files = [found] if found.is_file() else list(found.rglob("*"))
            for file in (one for one in files if one.is_file()):
                if not _in_context(str(file.relative_to(ROOT))):
                    continue
                inside = file.name if found.is_file() else str(file.relative_to(found))
                target = folder / destination / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
    return folder


def test_the_linter_finds_nothing(tools: Path) -> None:
    check = [str(tools / "hadolint"), "--format", "json", str(ROOT / "Dockerfile")]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == []


def test_what_is_copied_makes_the_same_wheel(build_folder: Path, distributions: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"]
    done = subprocess.run(build, cwd=build_folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = distributions.glob("*.whl")
    made = zipfile.ZipFile(build_folder / "dist" / wheel.name).namelist()
    assert sorted(made) == sorted(zipfile.ZipFile(wheel).namelist())


def test_nothing_private_goes_to_the_engine() -> None:
    private = (".git/config", ".streamwatch.key", "streamwatch.db", ".local/a", "tests/pages.py")
    assert [path for path in private if _in_context(path)] == []
    assert _in_context("src/streamwatch/py.typed")


def test_the_image_runs_without_rights_and_says_how_it_is() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.*)$", last, re.MULTILINE) == ["10001:10001"]
    assert "HEALTHCHECK" in last
    assert "/-/healthy" in last
    assert "pip install" not in last
    assert "--require-hashes" in DOCKERFILE


def test_the_image_has_all_extras() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = pyproject.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = re.findall(r"^([\w-]+) = \[", section, re.MULTILINE)
    installed = re.search(r'"streamwatch\[(.*)\]"', DOCKERFILE)
    assert installed is not None
    assert sorted(installed[1].split(",")) == sorted(extras)
