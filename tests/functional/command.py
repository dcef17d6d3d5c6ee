"""What a command answered, and commands run as processes of their own."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """Exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.out)
        assert answer["schema_version"] == 1
        return answer

    @property
    def rows(self) -> list[dict[str, str]]:
        """Of a CSV."""
        return list(csv.DictReader(io.StringIO(self.out)))


Run = Callable[..., Answer]


def streamwatch(
    folder: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, which knows no settings but those of the folder."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("STREAMWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "streamwatch", *arguments],
        cwd=folder,
        env={**own, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
