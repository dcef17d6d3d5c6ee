"""The tap tables as configuration wants them: made and widened at start, never narrowed.

A column that is there stays as it is. Where a tap wants one of another type under the same name,
its values go to ``overflow``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, func, inspect, select, text
from sqlalchemy.schema import CreateColumn, CreateTable, SetColumnComment, SetTableComment
from sqlalchemy.types import BigInteger, Boolean, Double, Float, Text

from streamwatch.adapters.sql.engine import reading, writing
from streamwatch.adapters.sql.rows import TapTables
from streamwatch.adapters.sql.tables import METADATA
from streamwatch.adapters.sql.tap_partitions import other_table
from streamwatch.adapters.sql.tap_tables import (
    FIXED,
    TAP_TABLES,
    TIMES,
    event_column,
    event_columns,
    make_tap_table,
    table_name,
)
from streamwatch.adapters.sql.tap_views import daily_view, neighbour_comment, neighbour_view
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings
from streamwatch.domain.stageorder import all_stages, before, stages_of, topic_stages
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.taps.columns import written

_LOCK = 7_316_205
"""PostgreSQL's advisory lock under which only one worker makes tables; any number serves."""

Wanted = dict[tuple[str, str], dict[str, type]]
_KINDS: Mapping[type, tuple[type, ...]] = {
    str: (Text,),
    float: (Double, Float),
    int: (BigInteger,),
    bool: (Boolean,),
}


def prepare_tap_tables(
    engine: Engine, settings: Settings, taps: Sequence[TapSettings]
) -> TapTables:
    """Make what is missing, and say where tap rows go.

    Raises:
        DatabaseError: the database does not answer, is not migrated or refuses.
    """
    wanted = wanted_columns(settings, taps)
    missing = _missing(engine, wanted)
    if missing:
        with writing(engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            for kind, columns in missing.items():
                _change(connection, kind, columns, settings)
            for event in {event for event, _ in missing}:
                order = all_stages(settings, event)
                for statement in daily_view(event, order, connection.dialect.name):
                    connection.execute(text(statement))
    return _tables(engine, wanted)


def wanted_columns(settings: Settings, taps: Sequence[TapSettings]) -> Wanted:
    """Every tap table's columns of the event: those of its stage, and those that taps rename."""
    wanted: Wanted = {}
    for event in EVENT_TYPES:
        order = all_stages(settings, event)
        for stage in order:
            wanted[event, stage] = event_columns(event, stage, order)
    for tap in taps:
        order = all_stages(settings, tap.event)
        for stage in tap.stages:
            columns = wanted[tap.event, stage]
            for column in written(tap, stage, order):
                columns.setdefault(column.name, column.kind)
    return wanted


def readable_tap_tables(connection: Connection, settings: Settings, event: str) -> dict[str, Table]:
    """Stage → its tap table with the event's columns, for those stages that have one."""
    found = inspect(connection)
    order = all_stages(settings, event)
    metadata = MetaData(naming_convention=METADATA.naming_convention)
    tables = {}
    for stage in order:
        if (event, stage) in TAP_TABLES:
            tables[stage] = TAP_TABLES[event, stage]
        elif found.has_table(table_name(event, stage)):
            columns = event_columns(event, stage, order)
            tables[stage] = make_tap_table(metadata, event, stage, columns)
    return tables


def stored_tap_tables(engine: Engine) -> list[Table]:
    """All tap tables that the database has, whatever is configured now.

    Raises:
        DatabaseError: the database does not answer.
    """
    metadata = MetaData(naming_convention=METADATA.naming_convention)
    names = {table_name(event, ""): event for event in EVENT_TYPES}
    with reading(engine) as connection:
        found = inspect(connection)
        tables = found.get_table_names()
        stored = []
        for table in sorted(tables):
            for prefix, event in names.items():
                columns = (
                    {one["name"] for one in found.get_columns(table)}
                    if (table.startswith(prefix))
                    else set()
                )
                if columns.issuperset(FIXED) and not table.rpartition("_")[2].isdigit():
                    stage = table.removeprefix(prefix)
                    if stage.endswith("_other") and table.removesuffix("_other") in tables:
                        continue
                    stored.append(make_tap_table(metadata, event, stage, {}))
    return stored


def _missing(engine: Engine, wanted: Wanted) -> Wanted:
    """What the database lacks: whole tables (with all columns) and single columns."""
    lacking: Wanted = {}
    with reading(engine) as connection:
        found = inspect(connection)
        there = set(found.get_table_names())
        for kind, columns in wanted.items():
            name = table_name(*kind)
            if name not in there:
                lacking[kind] = columns
            elif kind not in TAP_TABLES or columns.keys() - TAP_TABLES[kind].info["kinds"].keys():
                known = {column["name"] for column in found.get_columns(name)}
                new = {one: type_ for one, type_ in columns.items() if one not in known}
                if new:
                    lacking[kind] = new
    return lacking


def _change(
    connection: Connection, kind: tuple[str, str], columns: dict[str, type], settings: Settings
) -> None:
    event, stage = kind
    name = table_name(event, stage)
    if inspect(connection).has_table(name):
        for column, type_ in columns.items():
            definition = CreateColumn(event_column(column, type_)).compile(
                dialect=connection.dialect
            )
            guard = "IF NOT EXISTS " if connection.dialect.name == "postgresql" else ""
            connection.execute(text(f"ALTER TABLE {name} ADD COLUMN {guard}{definition}"))
        _comment(connection, make_tap_table(MetaData(), event, stage, columns), columns)
        return
    table = make_tap_table(
        MetaData(naming_convention=METADATA.naming_convention), event, stage, columns
    )
    connection.execute(CreateTable(table, if_not_exists=True))
    for index in table.indexes:
        index.create(connection, checkfirst=True)
    if connection.dialect.name == "postgresql":
        other_table(connection, name)
    _comment(connection, table, table.columns.keys())
    for first, then in _neighbours(settings, event, stage):
        if inspect(connection).has_table(table_name(event, first if then == stage else then)):
            elsewhere = bool({first, then} & set(topic_stages(settings, event)))
            connection.execute(text(neighbour_view(event, first, then, by_event_id=elsewhere)))
            if connection.dialect.name == "postgresql":
                connection.execute(text(neighbour_comment(event, first, then)))


def _comment(connection: Connection, table: Table, columns: Iterable[str]) -> None:
    """What a table and these columns of it mean, where the database keeps comments."""
    if connection.dialect.supports_comments:
        connection.execute(SetTableComment(table))
        for name in columns:
            column = table.columns[name]
            column.comment = column.comment or "named so by a tap; see its file"
            connection.execute(SetColumnComment(column))


def _neighbours(settings: Settings, event: str, stage: str) -> list[tuple[str, str]]:
    """The stage behind the one that it follows, and before the one that follows it in ours."""
    order = stages_of(settings, event)
    behind = order[order.index(stage) + 1 :][:1] if stage in order else ()
    return [(before(settings, event, stage), stage), *((stage, one) for one in behind)]


def _tables(engine: Engine, wanted: Wanted) -> TapTables:
    """The tables as they are now; a column of another type than wanted is left out."""
    metadata = MetaData(naming_convention=METADATA.naming_convention)
    tables: dict[tuple[str, str], Table] = {}
    with reading(engine) as connection:
        found = inspect(connection)
        for kind, columns in wanted.items():
            if kind in TAP_TABLES and columns.keys() == TAP_TABLES[kind].info["kinds"].keys():
                tables[kind] = TAP_TABLES[kind]
                continue
            types = {one["name"]: one["type"] for one in found.get_columns(table_name(*kind))}
            fitting = {
                name: type_
                for name, type_ in columns.items()
                if name in types and (name in TIMES or _fits(type_, types[name]))
            }
            tables[kind] = make_tap_table(metadata, *kind, fitting)
    return tables


def _fits(kind: type, stored: Any) -> bool:
    return isinstance(stored, _KINDS[kind])


def own_stage_names(settings: Settings) -> set[str]:
    """The stages beside the built-in ones."""
    return {one for event in EVENT_TYPES for one in all_stages(settings, event)} - set(STAGES)
