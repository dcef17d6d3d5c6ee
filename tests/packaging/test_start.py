"""`streamwatch --help` answers at once, since it imports nothing heavy; hooks need no network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HEAVY = {
    "aiohttp", "aiokafka", "alembic", "faust", "jinja2", "kafka", "msgspec", "numpy", "pandas",
    "prometheus_client", "psycopg", "pyarrow", "rich", "river", "scipy", "sqlalchemy", "yaml",
}  # fmt: skip


def _imported(*arguments: str) -> set[str]:
    command = [sys.executable, "-X", "importtime", "-m", "streamwatch", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(re.findall(r"^import time:.*\| +(\w+)", done.stderr, re.MULTILINE))


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_imports_click_and_nothing_heavier(argument: str) -> None:
    imported = _imported(argument)
    assert {"click", "streamwatch"} <= imported
    assert imported & HEAVY == set()


def test_a_command_that_needs_them_would_show() -> None:
    assert {"msgspec", "yaml"} <= _imported("config", "schema")


def test_the_hooks_before_a_commit_fetch_nothing_and_call_what_is_installed() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    programs = {
        word for hook in hooks for word in re.findall(r"\.venv/bin/([\w-]+)", hook["entry"])
    }
    assert programs == {"ruff", "mypy", "lint-imports", "streamwatch", "python"}
