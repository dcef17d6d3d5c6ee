"""Problems of configuration files, for machines."""

from collections.abc import Sequence
from typing import Any

from streamwatch.adapters.yaml.located import Problem


def as_rows(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """One object for each problem: file, line, column and text."""
    return [
        {
            "file": problem.place.file,
            "line": problem.place.line,
            "column": problem.place.column,
            "text": problem.text,
        }
        for problem in problems
    ]
