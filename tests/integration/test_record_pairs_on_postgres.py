"""Single records at two stages, on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from tests.unit.sql.record_pairs_contract import RecordPairsContract

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade


@pytest.fixture
def engine(postgres: str) -> Iterator[Engine]:
    upgrade(postgres)
    engine = create_engine_for(postgres)
    yield engine
    engine.dispose()


class TestPostgresRecordPairs(RecordPairsContract):
    """The whole contract on PostgreSQL."""
