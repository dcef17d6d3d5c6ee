from pathlib import Path

import pytest
from tests.unit.sql.migration_contract import MigrationContract


@pytest.fixture
def empty_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/100%.db"


class TestSqliteMigrations(MigrationContract):
    """The whole contract on SQLite."""
