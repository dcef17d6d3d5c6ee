"""Shell completion works, and the man page is what the commands say now."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from streamwatch.cli.main import COMMANDS
from streamwatch.cli.manpage import man_page

PAGE = Path(__file__).parents[2] / "docs" / "man" / "streamwatch.1"


def completed(*words: str) -> list[str]:
    """What bash is told when these words stand on its line and the last one is completed."""
    asked = {"_STREAMWATCH_COMPLETE": "bash_complete", "COMP_CWORD": str(len(words) - 1)}
    program = (
        "import sys; sys.argv[0] = 'streamwatch'; from streamwatch.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **asked, "COMP_WORDS": " ".join(words)},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_sub_commands_options_and_choices_are_completed() -> None:
    assert completed("streamwatch", "wa") == ["watch"]
    assert completed("streamwatch", "taps", "ex") == ["export"]
    assert completed("streamwatch", "doctor", "--on") == ["--only"]
    assert completed("streamwatch", "completion", "z") == ["zsh"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streamwatch", "completion", shell],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0
    assert f"_STREAMWATCH_COMPLETE={shell}_complete" in done.stdout
    program = shutil.which(shell)
    if program is not None:
        checked = subprocess.run([program, "-n"], input=done.stdout, text=True, check=False)
        assert checked.returncode == 0


def test_the_man_page_is_fresh_and_names_every_command() -> None:
    page = man_page()
    named = set(re.findall(r"^\.SS streamwatch ([a-z]+) ", page, re.MULTILINE))
    assert named == set(COMMANDS)
    assert PAGE.read_text(encoding="utf-8") == page, "make it anew: make generated"
