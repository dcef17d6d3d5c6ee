"""A SQLite file on a full disk: nothing is half written, and it goes on when there is room."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.records import PartitionId
from streamwatch.errors import DatabaseError
from streamwatch.runner.ports import Flush

PLACE = PartitionId("count", "purchase", 0)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path}/streamwatch.db"
    upgrade(url)
    made = create_engine_for(url)
    yield made
    made.dispose()


def flush(old: int | None, new: int, kilobytes: int) -> Flush:
    changes = {f"shop-{number}": b"x" * 1024 for number in range(kilobytes)}
    counts = Accounting(next_offset=new, records_in=new, aggregated=new)
    return Flush(PLACE, old, new, 0, "id", changes, [], counts)


def pages_at_most(engine: Engine, pages: int) -> None:
    """As large as the file may become: the pool hands out this connection again."""
    with engine.connect() as connection:
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))


def test_a_flush_that_finds_the_disk_full_writes_nothing_and_the_next_goes_on(
    engine: Engine,
) -> None:
    store = SqlStore(engine)
    store.commit(flush(None, 10, kilobytes=1))
    with engine.connect() as connection:
        pages = int(connection.execute(text("PRAGMA page_count")).scalar_one())
    pages_at_most(engine, pages + 20)
    with pytest.raises(DatabaseError, match="full"):
        store.commit(flush(10, 20, kilobytes=2_000))
    stored = store.load(PLACE)
    assert stored.fence == 10
    assert set(stored.states) == {"shop-0"}
    assert stored.accounting is not None
    assert stored.accounting.next_offset == 10
    pages_at_most(engine, 1_000_000)
    store.commit(flush(10, 20, kilobytes=2_000))
    assert store.load(PLACE).fence == 20
