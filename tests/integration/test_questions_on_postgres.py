"""The ten questions of docs/taps.md, as they stand there, on PostgreSQL."""

from pathlib import Path

from tests.functional.test_taps_document import QUESTIONS, inspected

from streamwatch.adapters.sql.engine import create_engine_for


def test_every_question_of_the_page_has_an_answer(tmp_path: Path, postgres: str) -> None:
    inspected(tmp_path, "--database", postgres)
    engine = create_engine_for(postgres)
    with engine.connect() as connection:
        unanswered = [
            question
            for _, question, query in QUESTIONS
            if not connection.exec_driver_sql(query).all()
        ]
    engine.dispose()
    assert len(QUESTIONS) == 10
    assert unanswered == []
