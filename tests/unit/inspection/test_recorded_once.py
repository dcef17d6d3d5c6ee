"""An incident that another of the same shop covers has no recording of its own."""

import msgspec
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import incident

from streamwatch.adapters.prepared_store import freeze_opened
from streamwatch.adapters.sql.recorded import count_recorded, open_reasons
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.events import WidgetEvent
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow
from streamwatch.runner.ports import Flush
from streamwatch.taps.recorder import Recorder
from streamwatch.taps.take import Where

PLACE = PartitionId("fleet", "verdicts", 0)


def test_the_rows_stand_once_under_the_incident_that_covers_the_others(engine: Engine) -> None:
    whole = incident("shop-002")
    part = msgspec.structs.replace(incident("shop-002", segment="gender=male"), part_of=whole.id)
    of_fleet = msgspec.structs.replace(incident("shop-003"), part_of="*/purchase/volume")
    recorder = Recorder(0, 1_000_000)
    for shop in ("shop-002", "shop-003"):
        event = WidgetEvent(f"e-{shop}", shop, height=170.0)
        where = Where("widget-event", "widget-event", 0, 0)
        recorder.add(where, "decode", event, (1, 1000, 1000), {"height": 170.0})
    rows = tuple(IncidentRow(one) for one in (whole, part, of_fleet))
    flush = Flush(PLACE, None, 1, 0, "", {}, rows, None)
    SqlStore(engine, now_ms=lambda: 0).commit(flush)
    freeze_opened(flush, recorder, engine)
    found = {one.id: count_recorded(engine, one.id) for one in (whole, part, of_fleet)}
    assert found == {whole.id: 1, part.id: 0, of_fleet.id: 1}
    assert open_reasons(engine) == {whole.id: "shop-002", of_fleet.id: "shop-003"}
