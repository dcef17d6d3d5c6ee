"""Which taps every worker uses, as the workers say in the database."""

import msgspec
from sqlalchemy import Engine, select

from streamwatch.adapters.sql.bulk import write
from streamwatch.adapters.sql.engine import reading, writing
from streamwatch.adapters.sql.fit import fit_text
from streamwatch.adapters.sql.inspection import TAP_VERSIONS
from streamwatch.adapters.sql.timestamps import timestamp_text

ALIVE_MS = 30_000
"""A worker that said nothing for longer is gone."""


class TapVersion(msgspec.Struct, frozen=True):
    """One worker's row of the table `tap_versions`; times in milliseconds."""

    worker: str
    version: str
    offered: str
    loaded_at: int
    seen_at: int
    error: str = ""


def report(engine: Engine, one: TapVersion) -> None:
    """Write a worker's row.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    times = (timestamp_text(one.loaded_at), timestamp_text(one.seen_at))
    row = (one.worker, one.version, one.offered, *times, fit_text(one.error))
    with writing(engine) as connection:
        write(connection, TAP_VERSIONS, [row])


def workers(engine: Engine, now_ms: int) -> list[TapVersion]:
    """The workers that are alive, and which taps they use.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    table = TAP_VERSIONS.c
    query = select(TAP_VERSIONS).where(table.seen_at >= now_ms - ALIVE_MS).order_by(table.worker)
    with reading(engine) as connection:
        return [TapVersion(*row) for row in connection.execute(query)]
