"""The store in memory, which the runner's tests use, says what the database says."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from streamwatch.adapters.sql.engine import writing
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tables import METADATA
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.records import PartitionId
from streamwatch.errors import FenceLostError
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.ports import Flush, Store

PARTITION = PartitionId("count", "purchase", 0)
FLUSHES = st.builds(
    Flush,
    partition=st.just(PARTITION),
    fence_old=st.sampled_from([None, 0, 1, 2]),
    fence_new=st.integers(0, 2),
    epoch=st.just(0),
    topic_id=st.sampled_from(["", "id"]),
    changes=st.dictionaries(st.sampled_from("abc"), st.none() | st.binary(max_size=3)),
    rows=st.just(()),
    accounting=st.builds(Accounting, next_offset=st.integers(0, 9), gaps=st.integers(0, 9)),
)


def accepts(store: Store, flush: Flush) -> bool:
    try:
        store.commit(flush)
    except FenceLostError:
        return False
    return True


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(flushes=st.lists(FLUSHES, max_size=8))
def test_both_stores_take_and_refuse_the_same_flushes(engine: Engine, flushes: list[Flush]) -> None:
    with writing(engine) as connection:
        for table in METADATA.tables.values():
            connection.execute(delete(table))
    database, memory = SqlStore(engine), MemoryStore()
    for flush in flushes:
        assert accepts(database, flush) == accepts(memory, flush)
        assert database.load(PARTITION) == memory.load(PARTITION)
