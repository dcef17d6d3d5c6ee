"""Creating and migrating the database, from Python rather than by Alembic's own command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, func, select

from streamwatch.adapters.sql.engine import create_engine_for, reading, shown, writing
from streamwatch.errors import DatabaseError

HEAD = "head"
BASE = "base"
_LOCK = 7_316_202
"""PostgreSQL's advisory lock under which only one worker migrates; any fixed number serves."""


def upgrade(database: str | Engine, revision: str = HEAD) -> str | None:
    """Create or migrate the database in one transaction; returns the revision reached.

    Raises:
        DatabaseError: the database does not answer, or knows no such revision.
    """
    with _migrating(database) as (config, connection):
        command.upgrade(config, revision)
        return _revision(connection)


def downgrade(database: str | Engine, revision: str) -> str | None:
    """Go back to an older revision, dropping what it does not have; ``base`` drops everything.

    Raises:
        DatabaseError: the database does not answer, or knows no such revision.
    """
    with _migrating(database) as (config, connection):
        command.downgrade(config, revision)
        return _revision(connection)


def current_revision(database: str | Engine) -> str | None:
    """The database's revision; ``None`` when it is empty.

    Raises:
        DatabaseError: the database does not answer.
    """
    with _engine(database) as engine, reading(engine) as connection:
        return _revision(connection)


def head_revision() -> str:
    """The revision that this version of streamwatch needs.

    >>> head_revision() >= "0005"
    True
    """
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise DatabaseError("the installed package lacks its migrations; install it again")
    return head


def is_behind(have: str | None, need: str) -> bool:
    """Whether a database at this revision lacks something that one at the other has.

    >>> is_behind(None, "0007"), is_behind("0007", "0007"), is_behind("0008", "0007")
    (True, False, False)
    """
    return have is None or have < need


def check_migrated(engine: Engine) -> None:
    """Nothing, when the database has what this version needs.

    A newer revision has it, too: migrations only add to what the release before them knows, so
    that its workers go on while they are replaced one by one.

    Raises:
        DatabaseError: it has an older revision or none, or does not answer.
    """
    have, need = current_revision(engine), head_revision()
    if is_behind(have, need):
        state = f"at revision {have}, needed is {need}" if have else "empty"
        raise DatabaseError(
            f"the database {shown(engine.url)} is {state}; run: streamwatch db upgrade"
        )


def _config() -> Config:
    config = Config()
    # Alembic reads the option through ConfigParser, to which % is special.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _engine(database: str | Engine) -> Iterator[Engine]:
    if isinstance(database, Engine):
        yield database
        return
    engine = create_engine_for(database)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _migrating(database: str | Engine) -> Iterator[tuple[Config, Connection]]:
    with _engine(database) as engine, writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            # A migration of large tables may take its time, and waits for another one's end.
            for limit in ("statement_timeout", "lock_timeout"):
                connection.execute(select(func.set_config(limit, "0", True)))
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        try:
            yield config, connection
        except CommandError as error:
            raise DatabaseError(
                f"{error}; revisions go from {BASE} to {head_revision()}"
            ) from error
