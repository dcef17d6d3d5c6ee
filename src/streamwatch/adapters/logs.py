"""How a worker logs: JSON lines for machines, plain lines on a terminal; never a payload."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec


class JsonLines(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


TALKATIVE = ("aiokafka", "kafka", "urllib3")
"""Libraries that log whole requests at ``debug``: passwords and payloads among them."""


def logging_config(level: str) -> dict[str, Any]:
    """The configuration for `logging.config.dictConfig`: everything on standard error.

    Client libraries log from ``info`` on, whatever the level.
    """
    theirs = "INFO" if level == "debug" else level.upper()
    plain = {"format": "%(asctime)s %(levelname)s %(message)s"}
    lines = {"()": JsonLines}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": plain if sys.stderr.isatty() else lines},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "chosen",
                "stream": "ext://sys.stderr",
            }
        },
        "loggers": {name: {"level": theirs} for name in TALKATIVE},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
    }
