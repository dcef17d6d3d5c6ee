"""A worker of the next release, whose stored states all have another version.

Usage: ``python next_release.py`` in a folder with a streamwatch.yaml.
"""

import os
import sys

from streamwatch.cli.worker import run
from streamwatch.errors import StreamwatchError
from streamwatch.runner import partition
from streamwatch.steps import count, countstate, fleet, fleetstate, judgestate

VERSIONS = (
    (count, "VERSION"),
    (countstate, "VERSION"),
    (judgestate, "_VERSION"),
    (fleet, "VERSION"),
    (fleetstate, "VERSION"),
    (partition, "OUTBOX_VERSION"),
)


def main() -> None:
    """Run the worker."""
    for module, name in VERSIONS:
        setattr(module, name, getattr(module, name) + 1)
    try:
        run(None, os.environ, "info")
    except StreamwatchError as error:
        print(f"streamwatch: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
