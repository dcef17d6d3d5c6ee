"""What the migrations promise on both databases; each has a test file that runs this."""

from itertools import pairwise

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import (
    check_migrated,
    current_revision,
    downgrade,
    head_revision,
    upgrade,
)
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tables import METADATA
from streamwatch.adapters.sql.tap_tables import TAP_TABLES
from streamwatch.domain.records import PartitionId
from streamwatch.domain.refusals import STAGES
from streamwatch.errors import DatabaseError


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """PostgreSQL keeps the rows of other days in tables of their own."""
    return kind != "table" or not str(name).endswith("_other")


OPTIONS = {"compare_type": True, "include_name": is_ours}


def differences(url: str) -> list[object]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=OPTIONS)
            return list(compare_metadata(context, METADATA))
    finally:
        engine.dispose()


def names(url: str) -> tuple[set[str], set[str]]:
    engine = create_engine(url)
    try:
        found = inspect(engine)
        return set(found.get_table_names()) - {"alembic_version"}, set(found.get_view_names())
    finally:
        engine.dispose()


LAST_RELEASE = "0007"
"""The revision of the release before; what it wrote and read has to stay until the one after."""


def columns(url: str) -> dict[str, dict[str, tuple[str, bool]]]:
    """Table → column → its type, and whether an INSERT may leave it out."""
    engine = create_engine(url)
    try:
        found = inspect(engine)
        return {
            table: {
                one["name"]: (str(one["type"]), one["nullable"] or one["default"] is not None)
                for one in found.get_columns(table)
            }
            for table in found.get_table_names()
        }
    finally:
        engine.dispose()


class MigrationContract:
    """Needs a fixture ``empty_url``: the address of an empty database."""

    def test_an_upgraded_database_is_what_the_program_expects(self, empty_url: str) -> None:
        assert len(TAP_TABLES) == 18
        assert upgrade(empty_url) == head_revision() == current_revision(empty_url)
        assert differences(empty_url) == []
        events = ("widget_event", "purchase", "return")
        assert names(empty_url)[1] == {
            "open_incidents",
            *(f"tap_{event}_{view}" for event in events for view in ("journey", "daily")),
            *(
                f"tap_{event}_{before}_to_{after}"
                for event in events
                for before, after in pairwise(STAGES)
            ),
        }

    def test_upgrading_twice_changes_nothing(self, empty_url: str) -> None:
        upgrade(empty_url)
        assert upgrade(empty_url) == head_revision()
        assert differences(empty_url) == []

    def test_a_downgrade_to_base_leaves_nothing(self, empty_url: str) -> None:
        upgrade(empty_url)
        assert downgrade(empty_url, "base") is None
        assert names(empty_url) == (set(), set())
        assert upgrade(empty_url) == head_revision()

    def test_every_revision_can_be_left_and_reached_again(self, empty_url: str) -> None:
        upgrade(empty_url)
        assert downgrade(empty_url, "0001") == "0001"
        tables, views = names(empty_url)
        assert not views
        assert not {table for table in tables if table.startswith("tap_")}
        assert upgrade(empty_url) == head_revision()
        assert differences(empty_url) == []

    def test_an_unknown_revision_is_refused(self, empty_url: str) -> None:
        with pytest.raises(DatabaseError, match="'nope'; revisions go from base to"):
            upgrade(empty_url, "nope")
        assert current_revision(empty_url) is None

    def test_a_database_that_is_not_migrated_says_what_to_do(self, empty_url: str) -> None:
        engine = create_engine_for(empty_url)
        try:
            with pytest.raises(DatabaseError, match="is empty; run: streamwatch db upgrade"):
                check_migrated(engine)
            with pytest.raises(DatabaseError, match=r"not migrated.*run: streamwatch db upgrade"):
                SqlStore(engine).load(PartitionId("count", "purchase", 0))
            upgrade(engine, "0001")
            with pytest.raises(DatabaseError, match="at revision 0001, needed is"):
                check_migrated(engine)
            upgrade(engine)
            check_migrated(engine)
            with engine.begin() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            check_migrated(engine)
            assert SqlStore(engine).load(PartitionId("count", "purchase", 0)).fence is None
        finally:
            engine.dispose()

    def test_migrations_only_add_so_that_the_last_release_goes_on_meanwhile(
        self, empty_url: str
    ) -> None:
        upgrade(empty_url, LAST_RELEASE)
        before = columns(empty_url)
        upgrade(empty_url)
        after = columns(empty_url)
        for table, known in before.items():
            added = {name: after[table][name] for name in after[table].keys() - known.keys()}
            assert {name: after[table].get(name) for name in known} == known, table
            assert all(can_be_left_out for _, can_be_left_out in added.values()), table
