"""A database for whatever needs one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty, migrated SQLite file, made once."""
    file = tmp_path_factory.mktemp("migrated") / "empty.db"
    upgrade(f"sqlite:///{file}")
    return file.read_bytes()


@pytest.fixture
def engine(tmp_path: Path, migrated: bytes) -> Iterator[Engine]:
    """Of a migrated, empty database."""
    file = tmp_path / "streamwatch.db"
    file.write_bytes(migrated)
    engine = create_engine_for(f"sqlite:///{file}")
    yield engine
    engine.dispose()
