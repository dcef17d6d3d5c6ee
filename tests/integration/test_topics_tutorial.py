"""The tutorial on one's own topics works as it stands, on a real broker."""

from pathlib import Path

from tests.pages import problems_of

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "own-topics.md"


def test_the_tutorial_on_topics_does_what_it_says(kafka: str, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    # A group and internal topics of its own, on the broker that all tests share.
    environment = {
        "STREAMWATCH_KAFKA_BOOTSTRAP": kafka,
        "STREAMWATCH_KAFKA_GROUP": "tutorial",
        "STREAMWATCH_KAFKA_PREFIX": "tutorial",
        "STREAMWATCH_KAFKA_PARTITIONS": "2",
    }
    problems = problems_of(PAGE, folder, environment)
    assert not problems, "\n".join(problems)
