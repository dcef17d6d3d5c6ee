"""A command in the process of the test, which is quicker than one of its own."""

import os
from pathlib import Path

import pytest
from tests.functional.command import Answer, Run

from streamwatch.cli.main import main


@pytest.fixture(name="run")
def _run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """``run("db", "status")`` in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("STREAMWATCH_")]:
        monkeypatch.delenv(name)

    def call(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, out, err)

    return call
