"""Runs a page of the documents as a reader would, from top to bottom in one empty folder.

=================================  ================================================================
block                              what is done
=================================  ================================================================
``sh``                             run by bash; must succeed
any language with ``title="F"``    written into the file F
``text`` right after ``sh``        its lines must stand in what the commands printed; ``…`` for
                                   what is left out
``sql``                            asked of streamwatch.db; must give rows
``python`` without title           run; must succeed
=================================  ================================================================

Other blocks show something and are not run; which commands they name is checked elsewhere.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "@@@ block"
PRINTED = re.compile(rf"^{MARK} (\d+)\n(.*?)(?=^{MARK}|\Z)", re.MULTILINE | re.DOTALL)
ASK = "import sqlite3,sys;print(*sqlite3.connect('streamwatch.db').execute(sys.stdin.read()))"


class Block(msgspec.Struct, frozen=True):
    """A fenced block of a page."""

    language: str
    title: str
    body: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for language, rest, body in FENCED.findall(text):
        title = re.search(r'title="([^"]+)"', rest)
        found.append(Block(language, title[1] if title else "", body))
    return found


def problems_of(
    page: Path, folder: Path, environment: Mapping[str, str] | None = None, timeout_s: float = 300
) -> list[str]:
    """Run a page; what did not come out as it says."""
    found = blocks(page.read_text(encoding="utf-8"))
    inherited = {key: text for key, text in os.environ.items() if "STREAMWATCH" not in key}
    path = f"{_program(folder.with_name(folder.name + '-bin'))}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eu", "-c", script(found)],
        cwd=folder,
        env={**inherited, "COLUMNS": "200", **(environment or {}), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    printed = dict(
        re.findall(rf"^{MARK} (\d+)\n(.*?)(?=^{MARK}|\Z)", done.stdout, re.MULTILINE | re.DOTALL)
    )
    if done.returncode != 0:
        last = max(map(int, printed), default=-1)
        return [f"exit code {done.returncode}:\n{found[last].body}{printed.get(str(last), '')}"]
    return [
        f"not printed: {line}\nby: {found[number].body}but: {printed[str(number)]}"
        for number, block in enumerate(found[:-1])
        if block.language == "sh" and found[number + 1].language == "text"
        for line in missing(found[number + 1].body, printed[str(number)])
    ]


def missing(wanted: str, printed: str) -> list[str]:
    """The lines that were to be printed, in that order, and were not; spaces do not count."""
    rest = " ".join(printed.split())
    lacking = []
    for line in wanted.splitlines():
        for part in line.split("…"):
            text = " ".join(part.split())
            found = rest.find(text)
            if found < 0:
                lacking.append(line)
                break
            rest = rest[found + len(text) :]
    return lacking


def script(found: list[Block]) -> str:
    """All blocks as one script of bash, which tells on standard output where each begins."""
    lines = ["exec 2>&1", "trap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT"]
    for number, block in enumerate(found):
        lines.append(f"echo; echo '{MARK} {number}'")
        if block.title:
            lines.append(f"mkdir -p {shlex.quote(str(Path(block.title).parent))}")
            lines.append(_given(f"cat > {shlex.quote(block.title)}", block.body))
        elif block.language == "sh":
            lines.append(block.body)
        elif block.language == "python":
            lines.append(_given("python -", block.body))
        elif block.language == "sql":
            lines.append(_given(f'rows=$(python -c "{ASK}"', block.body) + '\n); test -n "$rows"')
    return "\n".join(lines)


def _given(command: str, text: str) -> str:
    return f"{command} <<'@@@ end'\n{text}@@@ end"


def _program(folder: Path) -> Path:
    """A folder with the commands ``streamwatch`` and ``python`` of this checkout."""
    folder.mkdir()
    python = shlex.quote(sys.executable)
    source = shlex.quote(str(ROOT / "src"))
    for name, arguments in (("streamwatch", "-m streamwatch"), ("python", "")):
        file = folder / name
        path = f"PYTHONPATH={source}${{PYTHONPATH:+:$PYTHONPATH}}"
        file.write_text(f'#!/bin/sh\n{path} exec {python} {arguments} "$@"\n')
        file.chmod(0o755)
    return folder
