"""Makes requirements.lock from pyproject.toml: every file of every platform hashed, no address.

Run by ``make lock``; arguments go to pip-compile, such as ``--upgrade``. Without it the versions
that are locked already stay where they still fit.
"""

# ruff: noqa: INP001  a script of its own, in no package

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

OLDEST_PYTHON = (3, 11)
LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
HEADER = """\
# Made from pyproject.toml by `make lock`: the runtime dependencies, all extras, and the
# dependency group dev. Hashes cover the files for every platform.
"""


def requirements() -> list[str]:
    """What is asked for, from pyproject.toml."""
    project = tomllib.loads((LOCK.parent / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    return [
        *project["project"]["dependencies"],
        *(name for extra in extras.values() for name in extra),
        *project["dependency-groups"]["dev"],
    ]


def main() -> None:
    """Resolve the requirements and write the lock."""
    if sys.version_info[:2] != OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        sys.exit(
            f"lock.py: needs Python {oldest}, the oldest that is supported, since newer ones leave "
            f"out what only it needs; run: make lock PYTHON=python{oldest}"
        )
    # Locally built files would have other hashes than those that everybody gets.
    environment = {key: text for key, text in os.environ.items() if key != "PIP_FIND_LINKS"}
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.in"
        wanted.write_text("\n".join(requirements()) + "\n")
        draft = Path(folder) / "requirements.lock"
        if LOCK.exists():
            draft.write_text(LOCK.read_text())
        command = [sys.executable, "-m", "piptools", "compile", "--quiet"]
        command += ["--generate-hashes", "--allow-unsafe", "--strip-extras", "--no-annotate"]
        command += ["--no-header", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--no-emit-trusted-host", "--output-file", str(draft), str(wanted)]
        subprocess.run([*command, *sys.argv[1:]], check=True, env=environment)  # noqa: S603
        LOCK.write_text(HEADER + draft.read_text())
    print(f"wrote {LOCK.name}", file=sys.stderr)  # noqa: T201  a script talks


if __name__ == "__main__":
    main()
