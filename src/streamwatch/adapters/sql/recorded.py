"""What the flight recorder held, written down once for each incident or request."""

from collections.abc import Sequence

from sqlalchemy import Engine, func, select

from streamwatch.adapters.sql.bulk import Values, write
from streamwatch.adapters.sql.engine import reading, writing
from streamwatch.adapters.sql.fit import fit_text
from streamwatch.adapters.sql.inspection import FREEZES, RECORDED_ROWS
from streamwatch.adapters.sql.tables import INCIDENTS
from streamwatch.adapters.sql.timestamps import arrival_text, timestamp_text
from streamwatch.taps.recorder import Recorded


def open_reasons(engine: Engine) -> dict[str, str]:
    """Why shops are to be written down: incident or request → shop.

    Not for an incident that another of the same shop covers: the rows are the same.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    table = INCIDENTS.c
    incidents = select(table.id, table.shop, table.part_of).where(table.status == "open")
    with reading(engine) as connection:
        found = {
            row.id: row.shop
            for row in connection.execute(incidents)
            if recorded_under(row.id, row.shop, row.part_of) == row.id
        }
        asked = select(FREEZES.c.id, FREEZES.c.shop)
        found.update({row[0]: row[1] for row in connection.execute(asked)})
    return found


def recorded_under(incident: str, shop: str, part_of: str) -> str:
    """The incident under which an incident's records are written down.

    >>> recorded_under("s/b", "s", "s/a"), recorded_under("s/b", "s", "*/a")
    ('s/a', 's/b')
    """
    return part_of if part_of.startswith(f"{shop}/") else incident


def write_down(engine: Engine, reason: str, rows: Sequence[Recorded]) -> None:
    """Write the rows of one incident or request; a row that is there already stays.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    with writing(engine) as connection:
        write(connection, RECORDED_ROWS, [_values(reason, row) for row in rows])


def ask_to_freeze(engine: Engine, shop: str, now_ms: int) -> str:
    """Ask all workers to write down what they hold of a shop; returns the request's id.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    moment = timestamp_text(now_ms)
    id_ = f"freeze/{fit_text(shop)}@{moment}"
    with writing(engine) as connection:
        write(connection, FREEZES, [(id_, fit_text(shop), moment)])
    return id_


def count_recorded(engine: Engine, reason: str) -> int:
    """How many rows stand there for an incident or request.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    query = select(func.count()).where(RECORDED_ROWS.c.incident_id == reason)
    with reading(engine) as connection:
        return int(connection.execute(query).scalar_one())


def _values(reason: str, row: Recorded) -> Values:
    return (
        fit_text(reason),
        fit_text(row.topic),
        row.partition,
        row.epoch,
        row.offset,
        row.stage,
        row.event_type,
        fit_text(row.shop),
        fit_text(row.event_id),
        timestamp_text(row.occurred_at),
        arrival_text(row.arrived_at),
        fit_text(row.columns.decode().replace("\\u0000", "\\ufffd")),
    )
