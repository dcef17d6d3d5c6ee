from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A migrated, empty database."""
    url = f"sqlite:///{tmp_path}/streamwatch.db"
    upgrade(url)
    engine = create_engine_for(url)
    yield engine
    engine.dispose()
