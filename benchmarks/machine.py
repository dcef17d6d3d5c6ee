"""What a result was measured on: processor, cores, load, versions, command."""

import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = ("faust-streaming", "aiokafka", "msgspec", "numpy", "river", "sqlalchemy", "uvloop")


def described() -> dict[str, object]:
    """The machine and the versions, for the head of a result."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "commit": _commit(),
        "command": shlex.join(["python", *sys.argv]),
        "measured": datetime.now(UTC).date().isoformat(),
    }


def in_words(machine: dict[str, object]) -> str:
    """The same as one line of text."""
    return (
        f"{machine['cores']} cores of {machine['processor']}, Python {machine['python']}, "
        f"load {machine['load']}, commit {machine['commit']}, {machine['measured']}"
    )


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
