import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from streamwatch.adapters.sql import engine as engine_module
from streamwatch.adapters.sql.engine import create_engine_for, reading, writing
from streamwatch.errors import DatabaseError


def test_sqlite_writes_ahead_and_waits_for_locks(engine: Engine) -> None:
    with reading(engine) as connection:
        settings = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_a_writer_takes_the_lock_before_it_compares(engine: Engine) -> None:
    with writing(engine):
        other = sqlite3.connect(str(engine.url.database), timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_readers_go_on_while_one_writes(engine: Engine) -> None:
    with writing(engine) as writer, reading(engine) as reader:
        writer.execute(text("DELETE FROM fences"))
        assert reader.execute(text("SELECT count(*) FROM fences")).scalar_one() == 0


def test_an_exception_undoes_the_whole_transaction(engine: Engine) -> None:
    statement = text("INSERT INTO states VALUES ('count', 't', 0, 'k', x'00', '2026-03-01')")

    def write_and_fail() -> None:
        with writing(engine) as connection:
            connection.execute(statement)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write_and_fail()
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM states")).scalar_one() == 0


def test_a_lock_that_lasts_is_explained(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "LOCK_SECONDS", 0)
    other = create_engine_for(engine.url.render_as_string())
    explained = pytest.raises(DatabaseError, match="locked by another process")
    with writing(engine), explained, writing(other):
        pass
    other.dispose()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=f"does not exist.*mkdir -p {tmp_path}/missing"):
        create_engine_for(f"sqlite:///{tmp_path}/missing/streamwatch.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database, but long enough to look like one" * 40)
    engine = create_engine_for(f"sqlite:///{tmp_path}/notes.db")
    with pytest.raises(DatabaseError, match="file is not a database"), reading(engine):
        pass


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://me:open-sesame@host/db", "mysql is not supported"),
        ("open-sesame", "cannot be read"),
        ("postgresql://me:open-sesame@host:port/db", "cannot be read"),
    ],
)
def test_a_wrong_address_is_refused_without_its_password(url: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message) as caught:
        create_engine_for(url)
    assert "open-sesame" not in str(caught.value)


def test_a_database_in_memory_lasts_as_long_as_its_engine() -> None:
    engine = create_engine_for("sqlite://")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE kept (n INTEGER)"))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0
