"""How far the steps have read, and whether the accounting adds up."""

import msgspec
from sqlalchemy import Engine, and_, select

from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.tables import ACCOUNTING, FENCES
from streamwatch.domain.accounting import Accounting


class PartitionStatus(msgspec.Struct, frozen=True):
    """One partition of one step; ``accounting`` is of its present epoch."""

    step: str
    topic: str
    partition: int
    epoch: int
    next_offset: int
    updated_at: int
    accounting: Accounting | None


def partition_statuses(engine: Engine) -> list[PartitionStatus]:
    """Every partition that was ever read, in the order of step, topic and number.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    counts = Accounting.__struct_fields__
    same = and_(
        *(FENCES.c[name] == ACCOUNTING.c[name] for name in ("step", "topic", "partition", "epoch"))
    )
    query = (
        select(FENCES, *(ACCOUNTING.c[name].label(f"counted_{name}") for name in counts))
        .select_from(FENCES.outerjoin(ACCOUNTING, same))
        .order_by(FENCES.c.step, FENCES.c.topic, FENCES.c.partition)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).mappings().all()
    return [
        PartitionStatus(
            step=row["step"],
            topic=row["topic"],
            partition=row["partition"],
            epoch=row["epoch"],
            next_offset=row["next_offset"],
            updated_at=row["updated_at"],
            accounting=Accounting(*(row[f"counted_{name}"] for name in counts))
            if row["counted_records_in"] is not None
            else None,
        )
        for row in rows
    ]


def is_judged_on_kafka(engine: Engine) -> bool:
    """Whether workers on Kafka fill this database, rather than `streamwatch watch`.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    fences = FENCES.c
    query = select(fences.topic_id).where(fences.step == "judge", fences.topic_id != "").limit(1)
    with reading(engine) as connection:
        return connection.execute(query).first() is not None
