"""The tutorials and how-to guides work as they stand, in an empty folder, from top to bottom."""

from pathlib import Path

import pytest
from tests.pages import missing, problems_of

DOCS = Path(__file__).parents[2] / "docs"
NEEDS_KAFKA = {"own-topics.md"}  # run by tests/integration/test_topics_tutorial.py
PAGES = sorted(
    page
    for folder in ("tutorials", "how-to")
    for page in (DOCS / folder).glob("*.md")
    if page.name not in NEEDS_KAFKA
)


def test_there_are_tutorials_and_guides() -> None:
    assert len(PAGES) >= 8


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    problems = problems_of(page, folder)
    assert not problems, "\n".join(problems)


def test_a_wrong_page_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\necho one   two\n```\n\n```text\none two\nthree\n```\n")
    (tmp_path / "a").mkdir()
    (problem,) = problems_of(page, tmp_path / "a")
    assert problem.startswith("not printed: three")
    page.write_text("```sh\nstreamwatch wotch\n```\n")
    (tmp_path / "b").mkdir()
    (problem,) = problems_of(page, tmp_path / "b")
    assert problem.startswith("exit code 2")


def test_lines_are_looked_for_in_order() -> None:
    assert missing("a … c\nd", "a b c\nd") == []
    assert missing("d\na", "a b c\nd") == ["a"]
