"""Installs streamwatch as others do, each way into a fresh environment, and uses it there.

    python dev/try_install.py                 wheel, sdist and uv
    python dev/try_install.py wheel sdist     these only

The dependencies are the locked ones, fetched once with their hashes checked into .local/wheels;
after that no registry is asked.
"""

# ruff: noqa: INP001, S603, T201  a script of its own, in no package, which runs programs and talks

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements-runtime.lock"
WHEELS = ROOT / ".local" / "wheels"
UV = ROOT / ".local" / "tools" / "bin" / "uv"
EXTRAS = "[parquet,postgres,web]"


def run(
    *command: object, folder: Path | None = None, allowed: tuple[int, ...] = (0,), says: str = ""
) -> None:
    """Run a program without what this checkout has set for Python; end here if it fails.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        allowed: exit codes that are no failure.
        says: what must stand in its standard output.
    """
    own = ("PYTHON", "STREAMWATCH_", "VIRTUAL_ENV")
    environment = {key: text for key, text in os.environ.items() if not key.startswith(own)}
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in allowed or says not in done.stdout:
        sys.exit(f"try_install.py: {' '.join(words)}\n{done.stdout}{done.stderr}")


def fetched_wheels() -> Path:
    """A folder with every locked dependency as a wheel; filled when the lock has changed."""
    note = WHEELS / LOCK.name
    if not note.exists() or note.read_bytes() != LOCK.read_bytes():
        shutil.rmtree(WHEELS, ignore_errors=True)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet")
        run(*pip, "--require-hashes", "--requirement", LOCK, "--wheel-dir", WHEELS)
        shutil.copy(LOCK, note)
    return WHEELS


def built(folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist of this checkout."""
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, folder=ROOT)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return wheel, sdist


def by_pip(what: str, environment: Path, wheels: Path) -> None:
    """``pip install`` into a new environment."""
    run(sys.executable, "-m", "venv", environment)
    pip = (environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-compile", "--no-index", "--find-links", wheels, what)
    run(*pip, "check")


def by_uv(what: str, environment: Path, wheels: Path) -> None:
    """``uv pip install`` into a new environment."""
    run(UV, "venv", "--quiet", "--python", sys.executable, environment)
    python = environment / "bin" / "python"
    cache = WHEELS.with_name("uv")
    uv = (UV, "--quiet", "--no-config", "--cache-dir", cache, "pip")
    run(*uv, "install", "--python", python, "--offline", "--no-index", "--find-links", wheels, what)
    run(*uv, "check", "--python", python)


def use(environment: Path, folder: Path) -> None:
    """What a newcomer does first, in an empty folder."""
    program = environment / "bin" / "streamwatch"
    run(program, "--help", folder=folder, says="Start with: streamwatch demo")
    run(program, "--version", folder=folder, says="streamwatch, version")
    run(
        program, "simulate", "--shops", "2", "--days", "20", "--largest", "60", "--seed", "7",
        "--out", "events.jsonl", "--labels", "truth.csv", folder=folder,
    )  # fmt: skip
    watch = (program, "watch", "events.jsonl", "--json")
    run(*watch, folder=folder, allowed=(0, 1), says='"schema_version"')
    run(program, "db", "status", folder=folder, says="widget-event")
    run(program, "rules", "grafana", "-o", "grafana", folder=folder)


def main() -> None:
    """Try the ways that are named, else all."""
    ways: dict[str, tuple[Callable[[str, Path, Path], None], Callable[[Path, Path], str]]] = {
        "wheel": (by_pip, lambda wheel, _: f"{wheel}{EXTRAS}"),
        "sdist": (by_pip, lambda _, sdist: str(sdist)),
        "uv": (by_uv, lambda wheel, _: f"{wheel}{EXTRAS}"),
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("ways", nargs="*", choices=[*ways, []], default=[], metavar="WAY")
    chosen = parser.parse_args().ways or list(ways)
    if "uv" in chosen and not UV.exists():
        sys.exit("try_install.py: uv is not there; run: make tools")
    wheels = fetched_wheels()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = built(folder / "dist")
        for way in chosen:
            begun = time.monotonic()
            install, what = ways[way]
            install(what(*files), folder / f"env-{way}", wheels)
            (folder / f"use-{way}").mkdir()
            use(folder / f"env-{way}", folder / f"use-{way}")
            print(f"{way}: installed and used in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
