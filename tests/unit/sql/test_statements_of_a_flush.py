"""How often a flush asks the database does not depend on how much it writes."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import TapRow
from streamwatch.runner.ports import Flush

PLACE = PartitionId("count", "widget-event", 0)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path}/flush.db"
    upgrade(url)
    return create_engine_for(url)


def statements(engine: Engine, flush: Flush) -> int:
    """Statements that committing a flush sends, and transactions that it opens."""
    seen: list[str] = []

    def note(*given: Any) -> None:
        seen.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    SqlStore(engine, now_ms=lambda: 0).commit(flush)
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def flush(old: int | None, new: int, values: int, rows: int) -> Flush:
    taps = [
        TapRow(
            "widget-event", "decode", "widget-event", 0, new - 1 - number, "e", "s", 0, 0, {}, "t"
        )
        for number in range(rows)
    ]  # fmt: skip
    changes: dict[str, bytes | None] = {str(number): b"value" for number in range(values)}
    return Flush(PLACE, old, new, 0, "", changes, taps, Accounting(next_offset=new))


def test_a_flush_of_many_values_and_rows_asks_as_often_as_a_small_one(engine: Engine) -> None:
    statements(engine, flush(None, 10_000, 1, 1))
    small = statements(engine, flush(10_000, 20_000, 1, 1))
    large = statements(engine, flush(20_000, 30_000, 2_000, 5_000))
    assert large == small <= 6
    engine.dispose()
