"""What the doctor asks the database; whatever it tries is rolled back."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from streamwatch.adapters.sql.engine import create_engine_for, reading, shown, writing
from streamwatch.adapters.sql.migrations import current_revision, head_revision
from streamwatch.domain.settings import Settings
from streamwatch.errors import DatabaseError

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs", "afs"}
)
MOUNTS = Path("/proc/self/mounts")


class DatabaseFacts(msgspec.Struct, frozen=True):
    """What the database says.

    Attributes:
        name: its address without user and password.
        kind: ``sqlite`` or ``postgresql``.
        revision, needed: of the tables; ``None`` for none.
        write_refused: why a write is refused; empty if it is not.
        journal, file_system, free_bytes: of SQLite.
        connections, most_connections, timezone, in_recovery, fsync: of PostgreSQL.
        clock_ahead_ms: how far its clock is ahead of this one.
    """

    name: str
    kind: str
    revision: str | None
    needed: str
    write_refused: str = ""
    journal: str = ""
    file_system: str = ""
    free_bytes: int | None = None
    connections: int = 0
    most_connections: int | None = None
    timezone: str = ""
    in_recovery: bool = False
    durable: bool = True
    clock_ahead_ms: int = 0


def ask_database(settings: Settings, now_ms: int) -> DatabaseFacts:
    """Everything that the checks need.

    Raises:
        DatabaseError: it does not answer.
    """
    engine = create_engine_for(settings.database)
    try:
        # First, since a connection that was used to read only comes back as one that may write.
        write_refused = _write_refused(engine)
        revision = _revision(engine)
        facts = DatabaseFacts(
            name=shown(engine.url),
            kind=engine.dialect.name,
            revision=revision,
            needed=head_revision(),
            write_refused=write_refused,
        )
        if engine.dialect.name == "sqlite":
            return _sqlite(engine, facts)
        with reading(engine) as connection:
            return _postgresql(connection, facts, now_ms)
    finally:
        engine.dispose()


def _revision(engine: Engine) -> str | None:
    """The revision; of a SQLite file that is not there, none, and no file is made."""
    file = engine.url.database
    if engine.dialect.name == "sqlite" and file and not Path(file).exists():
        return None
    return current_revision(engine)


def _write_refused(engine: Engine) -> str:
    file = engine.url.database
    if engine.dialect.name == "sqlite":
        if not file or file == ":memory:":
            return ""
        path = Path(file).absolute()
        wanted = path if path.exists() else path.parent
        return "" if os.access(wanted, os.W_OK) else f"{wanted} is not writable by this user"
    try:
        with writing(engine) as connection:
            connection.execute(text("CREATE TABLE streamwatch_doctor (tried integer)"))
            connection.rollback()
    except (DatabaseError, DBAPIError) as error:
        return str(error)
    return ""


def _sqlite(engine: Engine, facts: DatabaseFacts) -> DatabaseFacts:
    file = engine.url.database
    if not file or file == ":memory:" or not Path(file).exists():
        return facts
    with reading(engine) as connection:
        journal = str(connection.execute(text("PRAGMA journal_mode")).scalar())
    path = Path(file).absolute()
    mounts = MOUNTS.read_text(encoding="utf-8").splitlines() if MOUNTS.exists() else []
    return msgspec.structs.replace(
        facts,
        journal=journal,
        file_system=file_system_of(path, mounts),
        free_bytes=shutil.disk_usage(path.parent).free,
    )


def file_system_of(path: Path, mounts: Iterable[str]) -> str:
    """The kind of file system on which a file lies, by the lines of a mount table.

    >>> file_system_of(Path("/data/a.db"), ["x / ext4 rw 0 0", "y:/e /data nfs4 rw 0 0"])
    'nfs4'
    """
    best, kind = -1, ""
    for line in mounts:
        parts = line.split()
        if len(parts) > 2 and path.is_relative_to(parts[1]) and len(parts[1]) > best:  # noqa: PLR2004
            best, kind = len(parts[1]), parts[2]
    return kind


def _postgresql(connection: Connection, facts: DatabaseFacts, now_ms: int) -> DatabaseFacts:
    row = connection.execute(
        text(
            "SELECT (SELECT count(*) FROM pg_stat_activity) AS connections, "
            "current_setting('max_connections')::int "
            "- current_setting('superuser_reserved_connections')::int AS most, "
            "current_setting('TimeZone') AS zone, pg_is_in_recovery() AS in_recovery, "
            "current_setting('fsync') = 'on' AS durable, "
            "extract(epoch FROM clock_timestamp()) * 1000 AS now"
        )
    ).one()
    return msgspec.structs.replace(
        facts,
        connections=row.connections,
        most_connections=row.most,
        timezone=row.zone,
        in_recovery=row.in_recovery,
        durable=row.durable,
        clock_ahead_ms=int(row.now) - now_ms,
    )
