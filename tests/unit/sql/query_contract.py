"""What people and commands read and delete; each database has a test file that runs this."""

from sqlalchemy import Engine, text

from streamwatch.adapters.sql.incidents import find_incident, journey_query, list_incidents
from streamwatch.adapters.sql.prune import DAY_MS, prune
from streamwatch.adapters.sql.prune_taps import Kept
from streamwatch.adapters.sql.status import partition_statuses
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.cells import Moments, Transition
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow, RejectRow, Row, StageRow, TapRow, VerdictRow
from streamwatch.domain.verdicts import Verdict
from streamwatch.runner.ports import Flush

NOW = 1_772_357_400_250
PARTITION = PartitionId("count", "widget-event", 0)


def write(engine: Engine, *rows: Row) -> None:
    store = SqlStore(engine, now_ms=lambda: NOW)
    fence = store.load(PARTITION).fence
    store.commit(Flush(PARTITION, fence, (fence or 0) + 1, 0, "", {}, rows, None))


def incident(
    id_: str = "i-1",
    shop: str = "shop-003",
    kpi: str = "mean.height",
    segment: str = "all",
    event_type: str = "widget-event",
    until: int | None = None,
    since: int = NOW,
) -> Incident:
    return Incident(
        id=id_,
        key=KpiKey(shop, event_type, kpi, segment),
        direction="high",
        status="open" if until is None else "closed",
        since=since,
        until=until,
        last_bucket=NOW,
        value=432.0,
        expected=170.0,
        lower=168.0,
        upper=172.0,
        score=60.0,
        buckets=2,
        reason="above the band",
        revision=1,
        updated_at=NOW,
    )


def tap(
    stage: str, offset: int, tap_name: str = "all", arrived_at: int = NOW, **columns: float | str
) -> TapRow:
    return TapRow(
        event_type="purchase" if "price" in columns else "widget-event",
        stage=stage,
        topic="t",
        partition=0,
        offset=offset,
        event_id=f"e-{offset}",
        shop="shop-003",
        occurred_at=NOW,
        arrived_at=arrived_at,
        columns=dict(columns),
        tap=tap_name,
    )


def answers(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query.replace(":", r"\:")))]


class QueryContract:
    """Needs a fixture ``engine``: a migrated, empty database."""

    def test_an_incident_is_read_as_it_was_written(self, engine: Engine) -> None:
        closed = incident("i-2", until=NOW + DAY_MS)
        write(engine, IncidentRow(incident()), IncidentRow(closed))
        assert find_incident(engine, "i-1") == incident()
        assert find_incident(engine, "i-2") == closed
        assert find_incident(engine, "i-3") is None

    def test_incidents_are_listed_newest_first(self, engine: Engine) -> None:
        old = incident("i-0", since=NOW - DAY_MS)
        closed = incident("i-2", shop="shop-001", until=NOW + DAY_MS, since=NOW + 1)
        write(engine, *(IncidentRow(one) for one in (old, incident(), closed)))
        assert [one.id for one in list_incidents(engine)] == ["i-2", "i-1", "i-0"]
        assert [one.id for one in list_incidents(engine, only_open=True)] == ["i-1", "i-0"]
        assert [one.id for one in list_incidents(engine, shop="shop-001")] == ["i-2"]
        assert [row[0] for row in answers(engine, "SELECT id FROM open_incidents ORDER BY id")] == [
            "i-0",
            "i-1",
        ]

    def test_the_suggested_query_shows_the_shift_at_its_stage(self, engine: Engine) -> None:
        rows = [
            tap(stage, offset, height=height, gender="female" if offset else "male")
            for offset in range(3)
            for stage, height in (("decode", 170.0), ("normalise", 431.8))
        ]
        write(engine, *rows, tap("decode", 9, height=1.0))
        for segment, records in (("all", 3), ("gender=female", 2)):
            query = journey_query(engine, incident(segment=segment))
            ((day, count, before, after),) = answers(engine, query)
            assert (str(day), count, before) == ("2026-03-01", records, 170.0)
            assert abs(float(str(after)) - 431.8) < 1e-9

    def test_the_suggested_query_keeps_currencies_apart(self, engine: Engine) -> None:
        rows = [
            tap(stage, offset, price=price, currency=currency)
            for offset, (price, currency) in enumerate([(10.0, "EUR"), (500.0, "USD")])
            for stage in ("decode", "normalise")
        ]
        write(engine, *rows)
        wanted = incident(kpi="mean.price.EUR", event_type="purchase", until=NOW + DAY_MS)
        ((_, count, before, after),) = answers(engine, journey_query(engine, wanted))
        assert (count, before, after) == (1, 10.0, 10.0)

    def test_the_suggested_query_counts_for_a_volume(self, engine: Engine) -> None:
        write(engine, *(tap(stage, 1, height=1.0) for stage in ("decode", "normalise")))
        ((day, count),) = answers(engine, journey_query(engine, incident(kpi="volume")))
        assert (str(day), count) == ("2026-03-01", 1)

    def test_a_quote_in_a_shop_name_stays_inside_the_query(self, engine: Engine) -> None:
        assert answers(engine, journey_query(engine, incident(shop="a' OR '1'='1"))) == []

    def test_the_journey_shows_each_record_before_and_after(self, engine: Engine) -> None:
        write(engine, tap("decode", 1, height=70.0, height_unit="in"), tap("decode", 2))
        write(engine, tap("normalise", 1, height=177.8))
        seen = answers(
            engine,
            "SELECT event_id, height_unit, height_decode, height_normalise, height_ratio "
            "FROM tap_widget_event_journey ORDER BY event_id",
        )
        assert seen == [("e-1", "in", 70.0, 177.8, 177.8 / 70.0), ("e-2", None, None, None, None)]

    def test_prune_deletes_what_is_old_and_keeps_the_rest(self, engine: Engine) -> None:
        old = NOW - 10 * DAY_MS
        ancient = NOW - 500 * DAY_MS
        rejects = [
            RejectRow("t", 0, offset, "purchase", "reject", "validate", "r", "", None, None,
                      None, arrived, "{}")
            for offset, arrived in enumerate([NOW, NOW - 31 * DAY_MS])
        ]  # fmt: skip
        verdicts = [
            VerdictRow(
                Verdict(incident().key, bucket, 1.0, 1, "usual", 0.0, 1.0, 0.0, 2.0, "", 0, NOW)
            )
            for bucket in (NOW, ancient)
        ]
        stages = [
            StageRow("s", "purchase", "day", bucket, "decode", "price", Moments(), Transition())
            for bucket in (NOW, ancient)
        ]
        write(
            engine,
            *(tap("decode", offset, "short", old) for offset in range(7)),
            tap("decode", 7, "short"),
            tap("decode", 8, "long", old),
            tap("decode", 9, "gone", NOW - 31 * DAY_MS),
            tap("decode", 10, "gone", old),
            tap("decode", 11, "short", -1),
            *rejects,
            *verdicts,
            *stages,
            IncidentRow(incident(since=ancient)),
        )
        kept = {"short": Kept(7 * DAY_MS), "long": Kept(30 * DAY_MS)}
        deleted = {table: count for table, count in prune(engine, NOW, kept, batch=3) if count}
        assert deleted == {
            "tap_widget_event_decode": 8,
            "rejects": 1,
            "verdicts": 1,
            "stage_statistics": 1,
        }
        left = answers(engine, "SELECT record_offset FROM tap_widget_event_decode ORDER BY 1")
        assert [row[0] for row in left] == [7, 8, 10, 11]
        assert len(list_incidents(engine)) == 1
        assert not any(count for _, count in prune(engine, NOW, kept))

    def test_status_shows_every_partition(self, engine: Engine) -> None:
        counts = Accounting(0, 5, 5, 5)
        store = SqlStore(engine, now_ms=lambda: NOW)
        store.commit(Flush(PARTITION, None, 5, 0, "", {}, (), counts))
        store.commit(Flush(PartitionId("judge", "r", 1), None, 2, 0, "", {}, (), None))
        count, judge = partition_statuses(engine)
        assert (count.step, count.next_offset, count.updated_at) == ("count", 5, NOW)
        assert count.accounting == counts
        assert (judge.step, judge.partition, judge.accounting) == ("judge", 1, None)
