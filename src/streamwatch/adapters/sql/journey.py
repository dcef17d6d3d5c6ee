"""What each stage made of a shop's records: daily numbers, and a few records as taps took them."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select, tuple_

from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.tables import STAGE_STATISTICS
from streamwatch.adapters.sql.tap_tables import TAP_TABLES, event_columns
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.smallgroups import tells_of_few

MOST_ROWS = 20_000
"""Stage statistics that are read for one incident."""

WITHOUT = frozenset({"pseudonym", "bucket", "segments", "time"})
"""Columns of tap tables that a page leaves out."""

PLACE = ("topic", "partition", "epoch", "record_offset")
"""The columns by which a record is the same at all stages."""


class StageDay(msgspec.Struct, frozen=True):
    """One feature after one stage in one bucket; see the table `stage_statistics`."""

    bucket: int
    stage: str
    feature: str
    n: int
    mean: float | None
    missing: int
    changed: int


class SampleRecord(msgspec.Struct, frozen=True):
    """One record as taps took it: stage → column → value; nothing names a person."""

    topic: str
    partition: int
    epoch: int
    offset: int
    event_id: str
    occurred_at: int | None
    stages: dict[str, dict[str, str | float | None]]


def stage_days(
    engine: Engine, shop: str, event_type: str, since: int, until: int
) -> list[StageDay]:
    """The daily statistics of a shop's features after each stage, oldest first.

    Without the means of body measures of too few records.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    table = STAGE_STATISTICS.c
    query = (
        select(
            table.bucket, table.stage, table.feature, table.n, table.mean, table.missing,
            table.changed,
        )
        .where(
            table.shop == shop,
            table.event_type == event_type,
            table.span == "day",
            table.bucket.between(since, until),
        )
        .order_by(table.bucket)
        .limit(MOST_ROWS)
    )  # fmt: skip
    with reading(engine) as connection:
        found = [StageDay(*row) for row in connection.execute(query)]
    return [
        msgspec.structs.replace(one, mean=None)
        if tells_of_few(f"mean.{one.feature}", one.n)
        else one
        for one in found
    ]


def sample_records(
    engine: Engine, shop: str, event_type: str, since: int, until: int, most: int
) -> list[SampleRecord]:
    """Some records from ``since`` to before ``until``, the newest first, at every tapped stage.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    if event_type not in EVENT_TYPES:
        return []
    with reading(engine) as connection:
        places = _places(connection, shop, event_type, since, until, most)
        records: dict[tuple[Any, ...], SampleRecord] = {}
        for stage in STAGES if places else ():
            for row in _at_stage(connection, event_type, stage, places):
                place = tuple(row[name] for name in PLACE)
                record = records.get(place) or SampleRecord(
                    topic=row["topic"],
                    partition=row["partition"],
                    epoch=row["epoch"],
                    offset=row["record_offset"],
                    event_id=row["event_id"],
                    occurred_at=row["occurred_at"],
                    stages={},
                )
                if record.occurred_at is None and row["occurred_at"] is not None:
                    record = msgspec.structs.replace(record, occurred_at=row["occurred_at"])
                shown = {name: row[name] for name in _columns(event_type, stage)}
                record.stages[stage] = shown
                records[place] = record
    return [records[place] for place in places if place in records]


def _columns(event_type: str, stage: str) -> list[str]:
    return [name for name in event_columns(event_type, stage) if name not in WITHOUT]


def _places(
    connection: Connection, shop: str, event_type: str, since: int, until: int, most: int
) -> list[tuple[Any, ...]]:
    # Event time is not known before `validate`, so later stages find records faster.
    for stage in (*STAGES[1:], STAGES[0]):
        table = TAP_TABLES[event_type, stage].c
        moment = table.arrived_at if stage == STAGES[0] else table.occurred_at
        query = (
            select(*(table[name] for name in PLACE))
            .where(table.shop == shop, moment >= since, moment < until)
            .limit(most)
        )
        if stage != STAGES[0]:
            query = query.order_by(moment.desc())
        found = [tuple(row) for row in connection.execute(query)]
        if found:
            return found
    return []


def _at_stage(
    connection: Connection, event_type: str, stage: str, places: list[tuple[Any, ...]]
) -> list[Any]:
    table = TAP_TABLES[event_type, stage]
    key = tuple_(*(table.c[name] for name in PLACE))
    return list(connection.execute(select(table).where(key.in_(places))).mappings())
