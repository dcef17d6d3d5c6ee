"""What the documents say is so: commands and options exist, links lead somewhere, examples run."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.settings.tap_files import load_tap_files
from streamwatch.adapters.yaml.located import read_yaml
from streamwatch.cli.main import streamwatch
from streamwatch.domain.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(document.relative_to(ROOT)) for document in DOCUMENTS]
FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SEPARATORS = re.compile(r"\|\||&&|[|;]|&$|\d?>>?\S*(?: \w+\.\w+)?")
PARTS = ("src", "tests", "dev", "benchmarks")
each_document = pytest.mark.parametrize("name", NAMES)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _prose(name: str) -> str:
    return FENCED.sub("", _text(name))


def _blocks(name: str, *languages: str) -> list[str]:
    return [block for language, block in FENCED.findall(_text(name)) if language in languages]


def _all_blocks(*languages: str) -> list[tuple[str, str]]:
    """The blocks of the pages that are not run as a whole by test_pages_run.py."""
    alone = [name for name in NAMES if Path(name).parent.name not in {"tutorials", "how-to"}]
    return [(name, block) for name in alone for block in _blocks(name, *languages)]


def _commands(name: str) -> Iterator[list[str]]:
    """Every ``streamwatch …`` of a document, as its arguments."""
    spans = re.findall(r"`([^`]+)`", _prose(name))
    scripts = "\n".join(_blocks(name, "", "sh")).replace("\\\n", " ").splitlines()
    for line in [*(span.replace("\n", " ") for span in spans), *scripts]:
        for part in SEPARATORS.split(re.sub(r"(^|\s)#.*", "", line)):
            words = _words(part)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if len(words) > 1 and words[0] == "streamwatch":
                yield words[1:]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []


def _problem(arguments: list[str]) -> str | None:
    """What is wrong with a command line, or ``None``; nothing is run."""
    command: click.Command = streamwatch
    context = click.Context(command)
    rest = list(arguments)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        if found is None:
            return f"there is no command {rest[0]}"
        command, context = found, click.Context(found)
        rest.pop(0)
    try:
        _, extra, _ = command.make_parser(context).parse_args(args=rest)
    except click.UsageError as error:
        return error.format_message()
    return f"too many arguments: {extra}" if extra else None


@each_document
def test_every_command_that_is_named_exists_with_its_options(name: str) -> None:
    wrong = {" ".join(words): _problem(words) for words in _commands(name)}
    assert {line: problem for line, problem in wrong.items() if problem} == {}


def test_a_wrong_command_or_option_would_be_found() -> None:
    assert _problem(["wotch", "a.jsonl"]) == "there is no command wotch"
    assert "--spede" in str(_problem(["replay", "a.jsonl", "--spede", "2"]))
    assert _problem(["db", "status", "more"]) == "too many arguments: ['more']"
    assert _problem(["replay", "a.jsonl", "--speed", "2"]) is None


def test_the_readme_names_most_commands() -> None:
    named = {words[0] for words in _commands("README.md")}
    assert named >= {"watch", "simulate", "replay", "topics", "db", "worker", "incidents", "taps"}


@each_document
def test_relative_links_lead_to_files_and_headings(name: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(name)):
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert broken == []


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


@each_document
def test_no_document_needs_another_site(name: str) -> None:
    hosts = re.findall(r"https?://([^/:\s)`\"]+)", _text(name))
    outside = [host for host in hosts if "." in host and not host.endswith(".example")]
    assert set(outside) <= {"127.0.0.1"}


@each_document
def test_files_that_are_named_are_there(name: str) -> None:
    named = set(re.findall(r"`([\w./-]+\.(?:py|lock|toml))`", _prose(name)))
    files = {f"/{file.relative_to(ROOT)}" for part in PARTS for file in _files(part)}
    files |= {f"/{file.name}" for file in ROOT.iterdir() if file.is_file()}
    assert {one for one in named if not any(file.endswith(f"/{one}") for file in files)} == set()


def _files(folder: str) -> Iterator[Path]:
    return (file for file in (ROOT / folder).rglob("*") if file.suffix in {".py", ".toml", ".lock"})


@pytest.mark.parametrize(("name", "block"), _all_blocks("yaml"))
def test_examples_of_settings_and_taps_load(name: str, block: str, tmp_path: Path) -> None:
    file = tmp_path / "streamwatch.yaml"
    if re.search(r"^(sources|rules|kafka|judging):", block, re.MULTILINE):
        file.write_text(block, encoding="utf-8")
        assert load_settings(file, {}).sources
    elif block.startswith("event:"):
        (tmp_path / "example.yaml").write_text(block, encoding="utf-8")
        assert [one.tap.name for one in load_tap_files(tmp_path, Settings())]
    else:
        file.write_text(block, encoding="utf-8")
        assert read_yaml(file).entries, f"{name}: {block}"


@pytest.mark.parametrize(("name", "block"), _all_blocks("sh"))
def test_examples_marked_sh_run_as_they_stand(
    name: str, block: str, tmp_path: Path, program: Path
) -> None:
    inherited = {key: text for key, text in os.environ.items() if "STREAMWATCH" not in key}
    done = subprocess.run(
        ["bash", "-eu", "-c", block],
        cwd=tmp_path,
        env={**inherited, "PATH": f"{program}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, f"{name}:\n{block}\n{done.stderr}"
    if "inches@shop-002" in block:
        assert "shop-002/widget-event/mean.height/all/day/low" in done.stdout


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command ``streamwatch`` of this checkout."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "streamwatch"
    source = shlex.quote(str(ROOT / "src"))
    python = shlex.quote(sys.executable)
    script.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {python} -m streamwatch "$@"\n')
    script.chmod(0o755)
    return folder
