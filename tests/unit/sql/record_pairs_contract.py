"""Single records at two stages, from wherever they were kept; each database runs this."""

import json
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Engine

from streamwatch.adapters.sql.diagnosis_queries import queries
from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.record_pairs import Pairs, pairs_of
from streamwatch.adapters.sql.recorded import write_down
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tap_schema import prepare_tap_tables
from streamwatch.diagnosis.normal import FeatureDay
from streamwatch.diagnosis.report import PairsFrom, Report, Stored, make_report
from streamwatch.domain.cells import DAY_MS, Moments
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import TapRow, Value
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import StageSettings, StageTopicSettings
from streamwatch.runner.ports import Flush
from streamwatch.taps.recorder import Recorded

DAY = 1_772_323_200_000  # 2026-03-01
INCIDENT = "shop-003/widget-event/mean.height"
KEY = KpiKey("shop-003", "widget-event", "mean.height")
SETTINGS = Settings(
    stages=(StageSettings("fit", "mine:fit", "normalise"),),
    stage_topics=(
        StageTopicSettings("recommender", "recommended", "widget-event", after="normalise"),
    ),
)


def tapped(engine: Engine, stage: str, topic: str, heights: dict[str, float]) -> None:
    """Rows of a tap that took these events' heights after a stage."""
    store = SqlStore(engine, now_ms=lambda: DAY)
    store.tap_tables = prepare_tap_tables(engine, SETTINGS, ())
    rows = []
    for number, (event_id, height) in enumerate(heights.items()):
        columns: dict[str, Value] = {"height": height, "height_unit": "cm", "app_version": "5.0.0"}
        moment = DAY + number * 1000
        rows.append(
            TapRow("widget-event", stage, topic, 0, number, event_id, KEY.shop, moment, moment,
                   columns, "full")
        )  # fmt: skip
    place = PartitionId("count", f"{topic}-{stage}", 0)
    store.commit(Flush(place, None, 1, 0, "", {}, tuple(rows), None))


def recorded(stage: str, number: int, **fields: Value) -> Recorded:
    moment = DAY + number * 1000
    return Recorded("widget-event", stage, "widget-event", 0, 0, number, f"e-{number}", KEY.shop,
                    moment, moment, json.dumps(fields).encode())  # fmt: skip


def read(engine: Engine, incident: str = "") -> tuple[Pairs, PairsFrom]:
    with reading(engine) as connection:
        return pairs_of(connection, KEY, (DAY, DAY), SETTINGS, incident)


def values(pairs: Pairs) -> dict[tuple[str, str], list[tuple[float | None, float | None]]]:
    return {stages: [(one.before, one.after) for one in some] for stages, some in pairs.items()}


def printed(engine: Engine, incident: str) -> dict[str, list[dict[str, object]]]:
    """What a query shows → its rows."""
    pairs, where = read(engine, incident)
    shown = queries(engine, report_of(pairs, where), SETTINGS, incident)
    return {one.shows: pasted(engine, one.sql) for one in shown}


def pasted(engine: Engine, sql: str) -> list[dict[str, object]]:
    """The rows of a query, which reaches the database as it stands."""
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        found = driver.cursor()
        found.execute(sql)
        names = [one[0] for one in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def report_of(pairs: Pairs, where: PairsFrom) -> Report:
    days = {"height": FeatureDay({"decode": Moments(2, 175.0), "normalise": Moments(2, 175.0)})}
    stored = Stored(KEY, DAY, {}, {}, days, pairs=pairs)
    report = make_report(stored)
    return replace(report, pairs_from=where)


class RecordPairsContract:
    """What a diagnosis reads and prints of single records."""

    def test_own_stages_and_other_services_are_paired_too(self, engine: Engine) -> None:
        tapped(engine, "normalise", "widget-event", {"a": 170.0, "b": 180.0})
        tapped(engine, "fit", "widget-event", {"a": 171.0, "b": 180.0})
        tapped(engine, "recommender", "recommended", {"b": 90.0, "a": 170.0})
        pairs, where = read(engine)
        assert where == "taps"
        assert values(pairs) == {
            ("normalise", "fit"): [(170.0, 171.0), (180.0, 180.0)],
            ("normalise", "recommender"): [(180.0, 90.0), (170.0, 170.0)],
        }

    def test_what_the_recorder_wrote_down_stands_in_where_no_tap_does(self, engine: Engine) -> None:
        sent: dict[str, Value] = {
            "height": 70,
            "height_unit": "in",
            "app_version": "5.0.0",
            "category": "shoes",
        }
        after: dict[str, Value] = {
            "height": 70.0,
            "height_unit": "cm",
            "app_version": "5.0.0",
            "category": "shoes",
        }
        rows = [recorded("decode", 1, **sent), recorded("normalise", 1, **after)]
        rows += [recorded("decode", 2, height=170.0), recorded("decode", 3, app_version="4.2.0")]
        write_down(engine, INCIDENT, rows)
        assert read(engine) == ({}, "")
        pairs, where = read(engine, INCIDENT)
        assert where == "recorder"
        found = pairs["decode", "normalise"]
        assert [(one.event_id, one.before, one.after) for one in found] == [
            ("e-1", 177.8, 70.0),
            ("e-2", 170.0, None),
            ("e-3", None, None),
        ]
        assert found[0].fields == {
            "app_version": "5.0.0", "category": "shoes", "height_unit": "in",
        }  # fmt: skip
        tapped(engine, "normalise", "widget-event", {"a": 170.0})
        assert read(engine, INCIDENT)[1] == "taps"

    def test_the_queries_of_single_records_run_as_they_are_printed(self, engine: Engine) -> None:
        rows = [recorded("decode", 1, height=170.0), recorded("normalise", 1, height=66.9)]
        write_down(engine, INCIDENT, rows)
        shows = "what the flight recorder held, at every stage"
        shown = printed(engine, INCIDENT)[shows]
        assert [(row["stage"], row["height"]) for row in shown] == [
            ("decode", 170.0), ("normalise", 66.9),
        ]  # fmt: skip
        tapped(engine, "normalise", "widget-event", {"a": 170.0, "b": 180.0})
        tapped(engine, "recommender", "recommended", {"b": 90.0, "a": 170.0})
        shown = printed(engine, INCIDENT)["the same records before and after"]
        assert {(row["height_normalise"], row["height_recommender"]) for row in shown} == {
            (170.0, 170.0), (180.0, 90.0),
        }  # fmt: skip

    def test_a_shop_whose_name_is_full_of_signs_can_be_asked_about(self, engine: Engine) -> None:
        shop = "100% o'shop\\%s :x"
        stored = Stored(KpiKey(shop, "widget-event", "volume"), DAY, {}, {}, {})
        for one in queries(engine, make_report(stored), SETTINGS):
            assert pasted(engine, one.sql) == []
            assert "100% o''shop" in one.sql

    def test_a_stage_before_normalise_and_one_elsewhere_are_read_by_their_own_unit(
        self, engine: Engine
    ) -> None:
        settings = replace(SETTINGS, stages=(StageSettings("fit", "mine:fit", "decode"),))
        store = SqlStore(engine, now_ms=lambda: DAY)
        store.tap_tables = prepare_tap_tables(engine, settings, ())
        sent: dict[str, Value] = {"height": 170.0, "height_unit": "cm"}
        mine: dict[str, Value] = {"height": 1.7, "height_unit": "m"}
        rows = [
            TapRow("widget-event", stage, topic, 0, 0, "e-1", KEY.shop, DAY, DAY, columns, "full")
            for stage, topic, columns in (
                ("decode", "widget-event", sent),
                ("fit", "widget-event", mine),
                ("normalise", "widget-event", sent),
                ("recommender", "recommended", mine),
            )
        ]
        place = PartitionId("count", "widget-event", 0)
        store.commit(Flush(place, None, 1, 0, "", {}, tuple(rows), None))
        with reading(engine) as connection:
            pairs, _ = pairs_of(connection, KEY, (DAY, DAY), settings)
        values = {stages: (one.before, one.after) for stages, (one,) in pairs.items()}
        assert values == dict.fromkeys(
            [("decode", "fit"), ("fit", "normalise"), ("normalise", "recommender")], (170.0, 170.0)
        )

    def test_records_are_read_from_the_first_unusual_day_on(self, engine: Engine) -> None:
        for stage in ("decode", "normalise"):
            tapped(engine, stage, "widget-event", {"e-1": 170.0, "e-2": 160.0})
        with reading(engine) as connection:
            found = [
                [len(some) for some in pairs_of(connection, KEY, days, SETTINGS)[0].values()]
                for days in ((DAY, DAY + 2 * DAY_MS), (DAY + DAY_MS, DAY + 2 * DAY_MS))
            ]
        assert found == [[2], []]

    def test_the_printed_query_shows_records_of_the_first_unusual_day_too(
        self, engine: Engine
    ) -> None:
        for stage in ("decode", "normalise"):
            tapped(engine, stage, "widget-event", {"e-1": 170.0})
        pairs, where = read(engine)
        later = replace(report_of(pairs, where), since=DAY, bucket=DAY + 2 * DAY_MS)
        sql = {one.shows: one.sql for one in queries(engine, later, SETTINGS)}
        shown = pasted(engine, sql["the same records before and after"])
        assert [row["event_id"] for row in shown] == ["e-1"]
