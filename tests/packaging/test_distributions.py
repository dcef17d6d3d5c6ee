"""What is in the wheel and in the sdist, and that they install and work."""

import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "streamwatch"
DATA = {".csv", ".db", ".gz", ".jsonl", ".parquet", ".key", ".pyc"}


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> zipfile.ZipFile:
    (file,) = distributions.glob("*.whl")
    return zipfile.ZipFile(file)


@pytest.fixture(scope="module")
def sdist_names(distributions: Path) -> set[str]:
    (file,) = distributions.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def _tracked(folder: str) -> set[str]:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.splitlines() if (ROOT / name).exists()}


def test_the_wheel_holds_the_whole_package(wheel: zipfile.ZipFile) -> None:
    wanted = {name.removeprefix("src/") for name in _tracked("src/streamwatch")}
    assert wanted <= set(wheel.namelist())


def test_the_wheel_holds_what_lies_elsewhere_in_the_checkout(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert "streamwatch/py.typed" in names
    assert "streamwatch/adapters/local/pom.xml" in names
    assert "streamwatch/adapters/local/docker-compose.yml" in names
    runbooks = {file.name for file in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert {f"streamwatch/adapters/web/runbooks/{name}" for name in runbooks} <= names


def test_the_wheel_holds_no_tests_and_no_data(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert {name.split("/")[0].removesuffix(".dist-info").split("-")[0] for name in names} == {
        "streamwatch"
    }
    assert [name for name in names if Path(name).suffix in DATA or "/tests/" in name] == []


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    (name,) = [one for one in wheel.namelist() if one.endswith("/METADATA")]
    said = message_from_bytes(wheel.read(name))
    assert said["License-Expression"] == "Apache-2.0"
    assert said["Requires-Python"] == ">=3.11"
    assert {"parquet", "postgres", "web"} <= set(said.get_all("Provides-Extra", []))


def test_the_sdist_holds_what_the_wheel_is_made_of_and_no_more(sdist_names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in sdist_names}
    assert tops == {
        "src", "dev", "docs", "docker-compose.yml", "streamwatch.yaml", "pyproject.toml",
        "README.md", "CHANGELOG.md", "LICENSE", "requirements.lock", "PKG-INFO", ".gitignore",
    }  # fmt: skip
    assert [name for name in sdist_names if Path(name).suffix in DATA] == []


def test_the_same_commit_gives_the_same_bytes(distributions: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert len(names) == 2
    assert [
        name
        for name in names
        if (tmp_path / name).read_bytes() != (distributions / name).read_bytes()
    ] == []


def test_every_way_of_installing_gives_a_streamwatch_that_works(tools: Path) -> None:
    assert (tools / "uv").exists()
    script = [sys.executable, str(ROOT / "dev" / "try_install.py")]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["wheel", "sdist", "uv"]


def test_the_image_gets_the_versions_that_are_tested() -> None:
    tested = _locked(ROOT / "requirements.lock")
    runtime = _locked(ROOT / "requirements-runtime.lock")
    assert runtime.items() <= tested.items()
    assert {"faust-streaming", "hatchling", "psycopg", "waitress"} <= runtime.keys()
    assert runtime.keys() & {"pytest", "mypy", "ruff"} == set()


def _locked(file: Path) -> dict[str, str]:
    """Package → version and hashes."""
    entries = re.split(r"^(?=[a-z0-9])", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    pairs = (entry.partition("==") for entry in entries if "==" in entry)
    return {name: pinned.strip() for name, _, pinned in pairs}
