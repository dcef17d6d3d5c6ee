"""Tap rows in a Parquet file: all of them, with their types."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Engine

from streamwatch.adapters.parquet_taps import Wanted, export_taps
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tap_schema import prepare_tap_tables
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import TapRow
from streamwatch.domain.settings import Settings
from streamwatch.errors import ConfigurationError
from streamwatch.runner.ports import Flush

NOON = 1_772_366_400_000
DAY_MS = 86_400_000


def row(stage: str, offset: int, shop: str = "s", **columns: float | str) -> TapRow:
    occurred = NOON + offset * DAY_MS
    return TapRow(
        "return", stage, "return", 0, offset, f"e-{offset}", shop, occurred, -1, dict(columns), "t"
    )


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = create_engine_for(f"sqlite:///{tmp_path}/own.db")
    upgrade(engine)
    store = SqlStore(engine)
    store.tap_tables = prepare_tap_tables(engine, Settings(), ())
    rows = [
        row("decode", 0, quantity=1.0, time="noon"),
        row("decode", 1, quantity="many"),
        row("segment", 0, quantity=1.0, bucket=NOON, pseudonym="p"),
        row("segment", 2, shop="other", quantity=2.5),
    ]
    store.commit(Flush(PartitionId("count", "return", 0), None, 3, 0, "", {}, rows, None))
    return engine


def exported(engine: Engine, to: Path, wanted: Wanted) -> list[dict[str, object]]:
    export_taps(engine, Settings(), wanted, to)
    rows: list[dict[str, object]] = pq.read_table(to).to_pylist()
    return rows


def test_all_stages_stand_in_one_file_with_their_types(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "all.parquet"
    counts = export_taps(engine, Settings(), Wanted("return"), to)
    assert {stage: count for stage, count in counts.items() if count} == {"decode": 2, "segment": 2}
    table = pq.read_table(to)
    assert table.schema.field("occurred_at").type == pa.timestamp("ms", "UTC")
    assert table.schema.field("bucket").type == pa.timestamp("ms", "UTC")
    assert table.schema.field("quantity").type == pa.float64()
    assert table.schema.metadata[b"streamwatch.taps"] == b"1"
    first, second, third, _ = table.to_pylist()
    assert (first["stage"], first["event_id"], first["quantity"]) == ("decode", "e-0", 1.0)
    assert first["occurred_at"] == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (second["quantity"], second["overflow"]) == (None, '{"quantity": "many"}')
    assert (third["stage"], third["pseudonym"], third["time"]) == ("segment", "p", None)


def test_only_what_is_wanted_is_exported(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "some.parquet"
    by_shop = exported(engine, to, Wanted("return", shops=("other",)))
    assert [one["event_id"] for one in by_shop] == ["e-2"]
    by_stage = exported(engine, to, Wanted("return", stages=("decode",)))
    assert {one["stage"] for one in by_stage} == {"decode"}
    by_time = exported(engine, to, Wanted("return", since=NOON + DAY_MS, until=NOON + 2 * DAY_MS))
    assert [one["event_id"] for one in by_time] == ["e-1"]


def test_a_row_of_decode_has_only_its_arrival_as_time(engine: Engine, tmp_path: Path) -> None:
    unknown = TapRow("return", "decode", "return", 0, 9, "late", "s", None, NOON, {}, "t")
    place = PartitionId("count", "return", 0)
    SqlStore(engine).commit(Flush(place, 3, 4, 0, "", {}, [unknown], None))
    found = exported(engine, tmp_path / "a.parquet", Wanted("return", since=NOON, until=NOON + 1))
    assert "late" in {one["event_id"] for one in found}


def test_an_unknown_stage_leaves_the_file_that_is_there(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "some.parquet"
    to.write_bytes(b"mine")
    with pytest.raises(ConfigurationError, match="did you mean `decode`"):
        export_taps(engine, Settings(), Wanted("return", stages=("decod",)), to)
    assert (to.read_bytes(), sorted(tmp_path.glob(".some*"))) == (b"mine", [])
