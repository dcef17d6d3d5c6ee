"""What both databases promise of a flush: one owner, all or nothing, loaded as it was committed."""

import pytest
from sqlalchemy import Engine, Table, event
from tests.unit.sql.flushes import (
    NOW,
    ONE_OF_EACH,
    PARTITION,
    TAPS,
    counts,
    flush,
    refuse_writes,
    stored_rows,
    tap_row,
)

from streamwatch.adapters.sql.bulk import COPY_FROM
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tables import (
    ACCOUNTING,
    FENCES,
    INCIDENTS,
    REJECTS,
    STAGE_STATISTICS,
    STATES,
    VERDICTS,
)
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.records import PartitionId
from streamwatch.errors import DatabaseError, FenceLostError


class StoreContract:
    """Needs a fixture ``engine``: a migrated, empty database."""

    def test_a_partition_that_was_never_read_has_no_fence(self, engine: Engine) -> None:
        stored = SqlStore(engine).load(PARTITION)
        assert (stored.fence, stored.epoch, stored.topic_id) == (None, 0, "")
        assert (dict(stored.states), stored.accounting) == ({}, None)

    def test_what_was_committed_is_loaded(self, engine: Engine) -> None:
        counted = Accounting(5, 10, 6, 3, 1, 0, 2, 1)
        store = SqlStore(engine)
        store.commit(flush(changes={"shop-001": b"\x00\xff", "dé": b""}, accounting=counted))
        stored = store.load(PARTITION)
        assert (stored.fence, stored.epoch, stored.topic_id) == (10, 0, "topic-a")
        assert dict(stored.states) == {"shop-001": b"\x00\xff", "dé": b""}
        assert stored.accounting == counted

    def test_a_later_flush_replaces_and_deletes_states(self, engine: Engine) -> None:
        store = SqlStore(engine)
        store.commit(flush(changes={"a": b"1", "b": b"1", "c": b"1"}))
        store.commit(flush(10, 20, changes={"a": b"2", "b": None, "never-there": None}))
        assert dict(store.load(PARTITION).states) == {"a": b"2", "c": b"1"}

    def test_partitions_and_steps_do_not_see_each_other(self, engine: Engine) -> None:
        store = SqlStore(engine)
        store.commit(flush(changes={"a": b"1"}, accounting=Accounting(next_offset=10, gaps=10)))
        for other in (
            PartitionId("judge", "widget-event", 3),
            PartitionId("count", "purchase", 3),
            PartitionId("count", "widget-event", 4),
        ):
            stored = store.load(other)
            assert (stored.fence, dict(stored.states), stored.accounting) == (None, {}, None)

    @pytest.mark.parametrize("fence", [None, 9, 11])
    def test_a_second_owner_loses_the_fence(self, engine: Engine, fence: int | None) -> None:
        SqlStore(engine).commit(flush())
        late = flush(fence, 12, rows=ONE_OF_EACH, changes={"a": b"1"})
        with pytest.raises(FenceLostError, match=r"count:widget-event\[3\]"):
            SqlStore(engine).commit(late)
        assert counts(engine) == {"fences": 1}
        assert SqlStore(engine).load(PARTITION).fence == 10

    def test_a_topic_made_anew_begins_a_new_epoch(self, engine: Engine) -> None:
        store = SqlStore(engine)
        store.commit(flush(rows=[tap_row(4)], accounting=Accounting(next_offset=10, gaps=10)))
        again = Accounting(next_offset=7, gaps=7)
        store.commit(flush(None, 7, epoch=1, accounting=again))
        stored = store.load(PARTITION)
        assert (stored.fence, stored.epoch, stored.accounting) == (7, 1, again)
        with pytest.raises(FenceLostError):
            store.commit(flush(10, 20))
        with pytest.raises(FenceLostError):
            store.commit(flush(None, 20, epoch=1))
        assert len(stored_rows(engine, ACCOUNTING)) == 2

    @pytest.mark.parametrize(
        "table",
        [STATES, TAPS, REJECTS, STAGE_STATISTICS, VERDICTS, INCIDENTS, ACCOUNTING],
        ids=lambda table: table.name,
    )
    def test_a_flush_is_all_or_nothing(self, engine: Engine, table: Table) -> None:
        store = SqlStore(engine)
        store.commit(flush(changes={"kept": b"1"}))
        before = counts(engine)
        refuse_writes(engine, table)
        whole = flush(
            10,
            20,
            rows=ONE_OF_EACH,
            changes={"kept": None, "new": b"1"},
            accounting=Accounting(next_offset=20, gaps=20),
        )
        with pytest.raises(DatabaseError, match="refus"):
            store.commit(whole)
        assert counts(engine) == before
        stored = store.load(PARTITION)
        assert (stored.fence, dict(stored.states)) == (10, {"kept": b"1"})

    def test_a_large_batch_that_fails_leaves_nothing(self, engine: Engine) -> None:
        refuse_writes(engine, TAPS)
        with pytest.raises(DatabaseError, match="refus"):
            SqlStore(engine).commit(flush(rows=[tap_row(offset) for offset in range(COPY_FROM)]))
        assert counts(engine) == {}

    def test_a_failed_commit_leaves_nothing_and_can_be_tried_again(self, engine: Engine) -> None:
        def fail(_connection: object) -> None:
            raise ConnectionResetError("the server went away")

        event.listen(engine, "commit", fail)
        with pytest.raises(ConnectionResetError):
            SqlStore(engine).commit(flush(rows=ONE_OF_EACH, changes={"a": b"1"}))
        event.remove(engine, "commit", fail)
        assert counts(engine) == {}
        SqlStore(engine).commit(flush(rows=ONE_OF_EACH, changes={"a": b"1"}))
        assert SqlStore(engine).load(PARTITION).fence == 10

    def test_many_states_are_deleted_at_once(self, engine: Engine) -> None:
        store = SqlStore(engine)
        keys = [f"shop-{number}" for number in range(1200)]
        store.commit(flush(changes=dict.fromkeys(keys, b"1")))
        store.commit(flush(10, 20, changes=dict.fromkeys(keys[1:])))
        assert list(store.load(PARTITION).states) == ["shop-0"]

    def test_the_row_says_when_it_was_written(self, engine: Engine) -> None:
        SqlStore(engine, now_ms=lambda: NOW).commit(flush(changes={"a": b"1"}))
        assert [row.updated_at for row in stored_rows(engine, FENCES)] == [NOW]
        assert [row.updated_at for row in stored_rows(engine, STATES)] == [NOW]
