"""What both databases promise; each has a test file that runs this."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, Table, event, func, select, text

from streamwatch.adapters.sql.bulk import COPY_FROM
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tables import (
    ACCOUNTING,
    FENCES,
    INCIDENTS,
    METADATA,
    REJECTS,
    STAGE_STATISTICS,
    STATES,
    VERDICTS,
)
from streamwatch.adapters.sql.tap_tables import TAP_TABLES
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.cells import Moments, Transition
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import (
    IncidentRow,
    RejectRow,
    Row,
    StageRow,
    TapRow,
    Value,
    VerdictRow,
)
from streamwatch.domain.verdicts import Verdict
from streamwatch.errors import DatabaseError, FenceLostError
from streamwatch.runner.ports import Flush

NOW = 1_772_357_400_250
PARTITION = PartitionId("count", "widget-event", 3)
TAPS = TAP_TABLES["widget-event", "decode"]
KEY = KpiKey("shop-003", "widget-event", "mean.height")


def tap_row(offset: int = 0, shop: str = "shop-003", **columns: Value) -> TapRow:
    return TapRow(
        event_type="widget-event",
        stage="decode",
        topic="widget-event",
        partition=3,
        offset=offset,
        event_id=f"e-{offset}",
        shop=shop,
        occurred_at=NOW,
        arrived_at=NOW + 5,
        columns=columns or {"height": 170.5, "gender": "female"},
        tap="all",
    )


def reject_row(offset: int = 0, shop: str | None = "shop-003") -> RejectRow:
    return RejectRow(
        topic="widget-event",
        partition=3,
        offset=offset,
        event_type="widget-event",
        kind="reject",
        stage="validate",
        reason="wrong-type",
        field="height",
        event_id=None,
        shop=shop,
        occurred_at=None,
        arrived_at=NOW,
        payload="{}",
    )


def stage_row(changed: int = 2) -> StageRow:
    return StageRow(
        shop="shop-003",
        event_type="widget-event",
        span="day",
        bucket=NOW,
        stage="normalise",
        feature="height",
        moments=Moments(3, 171.0, 8.0, 1),
        transition=Transition(changed, 5.0),
    )


def verdict_row(version: int = 1, value: float = 160.0) -> VerdictRow:
    return VerdictRow(
        Verdict(
            key=KEY,
            bucket=NOW,
            value=value,
            n=40,
            state="unusual",
            score=-6.0,
            expected=171.0,
            lower=169.0,
            upper=173.0,
            reason="below the band",
            version=version,
            judged_at=NOW,
        )
    )


def incident_row(revision: int = 1, value: float = 160.0, id_: str = "i-1") -> IncidentRow:
    return IncidentRow(
        Incident(
            id=id_,
            key=KEY,
            direction="low",
            status="open",
            since=NOW,
            until=None,
            last_bucket=NOW,
            value=value,
            expected=171.0,
            lower=169.0,
            upper=173.0,
            score=-6.0,
            buckets=1,
            reason="below the band",
            revision=revision,
            updated_at=NOW,
        )
    )


ONE_OF_EACH: tuple[Row, ...] = (
    tap_row(),
    reject_row(),
    stage_row(),
    verdict_row(),
    incident_row(),
)


def flush(
    fence_old: int | None = None,
    fence_new: int = 10,
    rows: Sequence[Row] = (),
    changes: dict[str, bytes | None] | None = None,
    epoch: int = 0,
    accounting: Accounting | None = None,
) -> Flush:
    return Flush(PARTITION, fence_old, fence_new, epoch, "topic-a", changes or {}, rows, accounting)


def stored_rows(engine: Engine, table: Table) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table)))


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        every = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in METADATA.tables.values()
        }
    return {name: count for name, count in every.items() if count}


def refuse_writes(engine: Engine, table: Table) -> None:
    """From now on the database itself refuses every new row of the table."""
    if engine.dialect.name == "sqlite":
        refusal = (
            f"CREATE TRIGGER refusal BEFORE INSERT ON {table.name} "
            "BEGIN SELECT RAISE(ABORT, 'refused by the test'); END"
        )
    else:
        refusal = f"ALTER TABLE {table.name} ADD CONSTRAINT refusal CHECK (false) NOT VALID"
    with engine.begin() as connection:
        connection.execute(text(refusal))


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

    def test_every_row_written_twice_stands_once(self, engine: Engine) -> None:
        store = SqlStore(engine)
        store.commit(flush(rows=ONE_OF_EACH * 2))
        store.commit(flush(10, 20, rows=ONE_OF_EACH))
        assert counts(engine) == {
            "fences": 1,
            TAPS.name: 1,
            "rejects": 1,
            "stage_statistics": 1,
            "verdicts": 1,
            "incidents": 1,
        }

    def test_a_large_batch_written_twice_stands_once(self, engine: Engine) -> None:
        store = SqlStore(engine)
        rows = [tap_row(offset) for offset in range(2 * COPY_FROM)]
        rejects = [reject_row(offset) for offset in range(COPY_FROM + 1)]
        store.commit(flush(rows=[*rows, *rejects, *rows]))
        store.commit(flush(10, 20, rows=[*rows, tap_row(2 * COPY_FROM), *rejects]))
        assert counts(engine) == {
            "fences": 1,
            TAPS.name: 2 * COPY_FROM + 1,
            "rejects": COPY_FROM + 1,
        }

    @pytest.mark.parametrize("others", [0, COPY_FROM])
    def test_only_a_higher_version_replaces(self, engine: Engine, others: int) -> None:
        many = [incident_row(id_=f"other-{number}") for number in range(others)]
        store = SqlStore(engine)
        store.commit(
            flush(rows=[incident_row(2, 2.0), incident_row(1, 1.0), verdict_row(2, 2.0), *many])
        )
        store.commit(flush(10, 20, rows=[incident_row(1, 1.0), verdict_row(1, 1.0), *many]))
        wanted = [row.value for row in stored_rows(engine, INCIDENTS) if row.id == "i-1"]
        assert wanted == [2.0]
        assert [row.value for row in stored_rows(engine, VERDICTS)] == [2.0]
        store.commit(
            flush(20, 30, rows=[verdict_row(3, 3.0), incident_row(3, 3.0), *many, verdict_row(2)])
        )
        wanted = [row.value for row in stored_rows(engine, INCIDENTS) if row.id == "i-1"]
        assert wanted == [3.0]
        assert [(row.version, row.value) for row in stored_rows(engine, VERDICTS)] == [(3, 3.0)]

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

    @pytest.mark.parametrize("copies", [1, COPY_FROM])
    def test_times_are_real_timestamps(self, engine: Engine, copies: int) -> None:
        SqlStore(engine).commit(flush(rows=[tap_row(offset) for offset in range(copies)]))
        row = stored_rows(engine, TAPS)[0]
        assert (row.occurred_at, row.arrived_at) == (NOW, NOW + 5)
        with engine.connect() as connection:
            day = connection.execute(select(func.date(TAPS.c.occurred_at)).limit(1)).scalar_one()
        assert str(day) == "2026-03-01"

    @pytest.mark.parametrize("copies", [1, COPY_FROM])
    def test_what_fits_no_column_goes_to_overflow(self, engine: Engine, copies: int) -> None:
        strange = tap_row(
            -1, height="tall", age=31, weight=float("nan"), colour="red", gender=True, line=10**30
        )
        SqlStore(engine).commit(flush(rows=[strange, *(tap_row(o) for o in range(copies))]))
        row = next(row for row in stored_rows(engine, TAPS) if row.record_offset == -1)
        assert (row.height, row.age, row.weight, row.gender) == (None, 31.0, None, None)
        overflow = row.overflow if isinstance(row.overflow, dict) else json.loads(row.overflow)
        assert overflow == {
            "height": "tall",
            "weight": "nan",
            "colour": "red",
            "gender": True,
            "line": str(10**30),
        }
        plain = next(row for row in stored_rows(engine, TAPS) if row.record_offset == 0)
        assert (plain.height, plain.gender, plain.overflow) == (170.5, "female", None)

    @pytest.mark.parametrize("copies", [1, COPY_FROM])
    def test_text_that_no_database_holds_is_made_fit(self, engine: Engine, copies: int) -> None:
        rows: list[Row] = [
            tap_row(-1, shop="a\0b", product="\ud83d", category="tab\tquote'\\N\n", zoll="\0"),
            reject_row(-1, shop="\udc00\0"),
            *(tap_row(offset) for offset in range(copies)),
            *(reject_row(offset) for offset in range(copies)),
        ]
        SqlStore(engine).commit(flush(rows=rows, changes={"a\0b": b"1"}))
        row = next(row for row in stored_rows(engine, TAPS) if row.record_offset == -1)
        assert (row.shop, row.product) == ("a\ufffdb", "\ufffd")
        assert row.category == "tab\tquote'\\N\n"
        refused = next(row for row in stored_rows(engine, REJECTS) if row.record_offset == -1)
        assert refused.shop == "\ufffd\ufffd"
        assert dict(SqlStore(engine).load(PARTITION).states) == {"a\ufffdb": b"1"}

    def test_times_that_no_calendar_has_are_null(self, engine: Engine) -> None:
        absurd = RejectRow(
            "widget-event", 3, 1, "widget-event", "reject", "validate", "absurd-date", "time",
            None, None, 10**18, -1, "{}",
        )  # fmt: skip
        SqlStore(engine).commit(flush(rows=[absurd]))
        (row,) = stored_rows(engine, REJECTS)
        assert (row.occurred_at, row.arrived_at) == (None, None)

    def test_numbers_that_are_none_become_null(self, engine: Engine) -> None:
        SqlStore(engine).commit(flush(rows=[verdict_row(1, float("nan")), stage_row(changed=0)]))
        assert [row.value for row in stored_rows(engine, VERDICTS)] == [None]
        (stages,) = stored_rows(engine, STAGE_STATISTICS)
        assert (stages.mean, stages.variance, stages.mean_change) == (171.0, 4.0, None)

    def test_many_states_are_deleted_at_once(self, engine: Engine) -> None:
        store = SqlStore(engine)
        keys = [f"shop-{number}" for number in range(1200)]
        store.commit(flush(changes=dict.fromkeys(keys, b"1")))
        store.commit(flush(10, 20, changes=dict.fromkeys(keys[1:])))
        assert list(store.load(PARTITION).states) == ["shop-0"]

    def test_a_step_of_ones_own_has_no_tap_table(self, engine: Engine) -> None:
        odd = TapRow("widget-event", "mine", "t", 0, 0, "e", "s", None, NOW, {}, "all")
        with pytest.raises(DatabaseError, match=r"no tap table .* stage mine"):
            SqlStore(engine).commit(flush(rows=[odd]))
        assert counts(engine) == {}

    def test_the_row_says_when_it_was_written(self, engine: Engine) -> None:
        SqlStore(engine, now_ms=lambda: NOW).commit(flush(changes={"a": b"1"}))
        assert [row.updated_at for row in stored_rows(engine, FENCES)] == [NOW]
        assert [row.updated_at for row in stored_rows(engine, STATES)] == [NOW]
