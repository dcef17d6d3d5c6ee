"""What both databases promise of the rows of a flush: each once, and in values that they hold."""

import json

import pytest
from sqlalchemy import Engine, func, select
from tests.unit.sql.flushes import (
    NOW,
    ONE_OF_EACH,
    PARTITION,
    TAPS,
    counts,
    flush,
    incident_row,
    reject_row,
    stage_row,
    stored_rows,
    tap_row,
    verdict_row,
)

from streamwatch.adapters.sql.bulk import COPY_FROM
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tables import INCIDENTS, REJECTS, STAGE_STATISTICS, VERDICTS
from streamwatch.domain.rows import RejectRow, Row, TapRow
from streamwatch.errors import DatabaseError


class RowsContract:
    """Needs a fixture ``engine``: a migrated, empty database."""

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

    def test_a_step_of_ones_own_has_no_tap_table(self, engine: Engine) -> None:
        odd = TapRow("widget-event", "mine", "t", 0, 0, "e", "s", None, NOW, {}, "all")
        with pytest.raises(DatabaseError, match=r"no tap table .* stage mine"):
            SqlStore(engine).commit(flush(rows=[odd]))
        assert counts(engine) == {}
