"""`streamwatch --help` answers at once, since it imports nothing heavy."""

import re
import subprocess
import sys

import pytest

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
