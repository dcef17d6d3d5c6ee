"""The SQL of the views over tap tables."""

from collections.abc import Iterator, Sequence

from streamwatch.adapters.sql.tap_tables import table_name
from streamwatch.domain.events import EVENT_TYPES


def neighbour_view(event: str, before: str, after: str, *, by_event_id: bool = False) -> str:
    """Makes the view of two neighbouring stages: each number before, after, and the change.

    A record that the second stage refused has NULL after it. A stage in another service has
    coordinates of its own, so its records are found by shop and event id.

    >>> print(neighbour_view("return", "decode", "validate").splitlines()[0])
    CREATE VIEW tap_return_decode_to_validate AS
    """
    numbers = EVENT_TYPES[event].numbers
    columns = "".join(
        f",\n    b.{name} AS {name}_before, a.{name} AS {name}_after,"
        f" a.{name} - b.{name} AS {name}_change"
        for name in numbers
    )
    on = (
        "a.shop = b.shop AND a.event_id = b.event_id"
        if by_event_id
        else "a.topic = b.topic AND a.partition = b.partition AND a.epoch = b.epoch\n"
        "    AND a.record_offset = b.record_offset AND a.arrived_day = b.arrived_day"
    )
    return (
        f"CREATE VIEW {table_name(event, before)}_to_{after.replace('-', '_')} AS\n"
        "SELECT\n"
        "    b.shop, b.event_id, COALESCE(a.occurred_at, b.occurred_at) AS occurred_at,\n"
        "    b.arrived_at, b.topic, b.partition, b.epoch, b.record_offset,\n"
        "    COALESCE(a.category, b.category) AS category,\n"
        "    COALESCE(a.gender, b.gender) AS gender, b.app_version,\n"
        "    a.record_offset IS NULL AS refused"
        f"{columns}\n"
        f"FROM {table_name(event, before)} AS b\n"
        f"LEFT JOIN {table_name(event, after)} AS a\n"
        f"    ON {on}"
    )


def neighbour_comment(event: str, before: str, after: str) -> str:
    """Says what that view is for; only PostgreSQL keeps it."""
    view = f"{table_name(event, before)}_to_{after.replace('-', '_')}"
    words = f"The same records after {before} and after {after}: each number, and the change"
    return f"COMMENT ON VIEW {view} IS '{words}'"


def daily_view(event: str, stages: Sequence[str], dialect: str) -> Iterator[str]:
    """Makes anew the view of daily statistics, over the tap tables of all these stages.

    >>> for statement in daily_view("return", ["decode"], "postgresql"):
    ...     print(statement.splitlines()[0])
    CREATE OR REPLACE VIEW tap_return_daily AS
    """
    name = table_name(event, "daily")
    numbers = "".join(
        f",\n    count({one}) AS {one}_n, avg({one}) AS {one}_mean,"
        f" min({one}) AS {one}_min, max({one}) AS {one}_max"
        for one in EVENT_TYPES[event].numbers
    )
    parts = [
        f"SELECT shop, arrived_day AS day, CAST('{stage}' AS TEXT) AS stage,\n"
        f"    {position} AS position, count(*) AS records{numbers}\n"
        f"FROM {table_name(event, stage)} GROUP BY shop, arrived_day"
        for position, stage in enumerate(stages, start=1)
    ]
    making = "CREATE OR REPLACE VIEW" if dialect == "postgresql" else "CREATE VIEW"
    if dialect != "postgresql":
        yield f"DROP VIEW IF EXISTS {name}"
    yield f"{making} {name} AS\n" + "\nUNION ALL\n".join(parts)
