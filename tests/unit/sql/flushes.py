"""Rows and flushes for the tests of stores, and what stands in a database after them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Table, func, select, text

from streamwatch.adapters.sql.tables import METADATA
from streamwatch.adapters.sql.tap_tables import TAP_TABLES
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.cells import Moments, Transition
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow, RejectRow, Row, StageRow, TapRow, Value, VerdictRow
from streamwatch.domain.verdicts import Verdict
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
