"""A worker's log lines."""

import json
import logging
import sys

from streamwatch.adapters.logs import JsonLines


def record(message: str, *args: object, failed: bool = False) -> logging.LogRecord:
    error = None
    if failed:
        try:
            int("no")
        except ValueError:
            error = sys.exc_info()
    made = logging.LogRecord("streamwatch", logging.ERROR, "f.py", 1, message, args, error)
    made.created = 1_788_256_800.5
    return made


def test_a_line_is_one_json_object_with_the_time_in_utc() -> None:
    line = JsonLines().format(record("lost %s\n", "purchase[3]"))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-09-01T10:00:00.500Z",
        "level": "error",
        "logger": "streamwatch",
        "message": "lost purchase[3]",
    }


def test_an_exception_stays_on_the_line() -> None:
    line = JsonLines().format(record("stops", failed=True))
    assert "ValueError: invalid literal" in json.loads(line)["exception"]
    assert "\n" not in line
