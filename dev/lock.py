"""Makes the locks: every file of every platform hashed, no address of any registry.

Run by ``make lock``; arguments go to pip-compile, such as ``--upgrade``. Without it the versions
that are locked already stay where they still fit.
"""

# ruff: noqa: INP001  a script of its own, in no package

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

OLDEST_PYTHON = (3, 11)
LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
HEADER = """\
# Made from pyproject.toml by `make lock`: the runtime dependencies, all extras, and the
# dependency group dev. Hashes cover the files for every platform.
"""
RUNTIME_LOCK = LOCK.with_name("requirements-runtime.lock")
RUNTIME_HEADER = """\
# Made from pyproject.toml by `make lock`: what it takes to build streamwatch and to run it with all
# extras, in the versions of requirements.lock. The image is made of these.
"""
TOOLS = Path(__file__).resolve().with_name("tools.in")
TOOLS_LOCK = TOOLS.with_suffix(".lock")
TOOLS_HEADER = """\
# Made from tools.in by `make lock`. Hashes cover the files for every platform.
"""


def runtime_requirements() -> list[str]:
    """What is asked for to build and to run, from pyproject.toml."""
    project = tomllib.loads((LOCK.parent / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    return [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(name for extra in extras.values() for name in extra),
    ]


def requirements() -> list[str]:
    """The same, and what it takes to develop."""
    project = tomllib.loads((LOCK.parent / "pyproject.toml").read_text())
    return [*runtime_requirements(), *project["dependency-groups"]["dev"]]


def main() -> None:
    """Resolve the requirements and write the locks."""
    if sys.version_info[:2] != OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        sys.exit(
            f"lock.py: needs Python {oldest}, the oldest that is supported, since newer ones leave "
            f"out what only it needs; run: make lock PYTHON=python{oldest}"
        )
    lock(LOCK, HEADER, requirements())
    lock(RUNTIME_LOCK, RUNTIME_HEADER, runtime_requirements(), like=LOCK, options=())
    lock(TOOLS_LOCK, TOOLS_HEADER, TOOLS.read_text().splitlines())


def lock(
    file: Path,
    header: str,
    wanted: list[str],
    like: Path | None = None,
    options: Sequence[str] = sys.argv[1:],
) -> None:
    """Write one lock; versions of an older one (or of `like`) stay where they still fit."""
    # Locally built files would have other hashes than those that everybody gets.
    environment = {key: text for key, text in os.environ.items() if key != "PIP_FIND_LINKS"}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "requirements.in"
        source.write_text("\n".join(wanted) + "\n")
        draft = Path(folder) / "requirements.lock"
        older = like or file
        if older.exists():
            draft.write_text(older.read_text())
        command = [sys.executable, "-m", "piptools", "compile", "--quiet"]
        command += ["--generate-hashes", "--allow-unsafe", "--strip-extras", "--no-annotate"]
        command += ["--no-header", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--no-emit-trusted-host", "--output-file", str(draft), str(source)]
        subprocess.run([*command, *options], check=True, env=environment)  # noqa: S603
        file.write_text(header + draft.read_text())
    print(f"wrote {file.name}", file=sys.stderr)  # noqa: T201  a script talks


if __name__ == "__main__":
    main()
