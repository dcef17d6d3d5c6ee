"""Own stages stand in the views beside the built-in ones, wherever in the journey they are."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text

from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tap_schema import prepare_tap_tables
from streamwatch.domain.records import PartitionId
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.rows import TapRow
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import StageSettings
from streamwatch.runner.ports import Flush

NOON = 1_772_366_400_000
ROW = TapRow("return", "decode", "return", 0, 0, "e-0", "s", NOON, NOON, {"quantity": 2.0}, "t")


def tapped(engine: Engine, settings: Settings, *rows: TapRow) -> None:
    store = SqlStore(engine, now_ms=lambda: NOON)
    store.tap_tables = prepare_tap_tables(engine, settings, ())
    if not rows:
        return
    place = PartitionId("count", "return", 0)
    store.commit(Flush(place, None, 1, 0, "", {}, rows, None))


@pytest.mark.parametrize("after", STAGES[:-1])
def test_a_stage_is_joined_with_both_its_neighbours(engine: Engine, after: str) -> None:
    settings = Settings(stages=(StageSettings("fit", "mine:fit", after),))
    then = STAGES[STAGES.index(after) + 1]
    stages = ((after, 2.0), ("fit", 3.0), (then, 3.0))
    rows = [replace(ROW, stage=stage, columns={"quantity": n}) for stage, n in stages]
    tapped(engine, settings, *rows)
    with engine.connect() as connection:
        changes = [
            connection.execute(text(f"SELECT quantity_change FROM tap_return_{view}")).scalar_one()
            for view in (f"{after}_to_fit", f"fit_to_{then}")
        ]
        daily = "SELECT stage, quantity_mean FROM tap_return_daily ORDER BY position"
        means = [tuple(row) for row in connection.execute(text(daily))]
    assert changes == [1.0, 0.0]
    assert means == list(stages)


def test_two_stages_behind_each_other_are_joined(engine: Engine) -> None:
    first, second = StageSettings("fit", "mine:fit", "decode"), StageSettings("size", "m:s", "fit")
    tapped(engine, Settings(stages=(first,)))
    tapped(engine, Settings(stages=(first, second)), replace(ROW, stage="size"))
    with engine.connect() as connection:
        for view in ("decode_to_fit", "fit_to_size", "size_to_validate"):
            connection.execute(text(f"SELECT * FROM tap_return_{view}"))
        daily = "SELECT stage, position FROM tap_return_daily"
        assert [tuple(row) for row in connection.execute(text(daily))] == [("size", 3)]
