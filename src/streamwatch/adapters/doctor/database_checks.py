"""The mistakes that people make with the database."""

from collections.abc import Iterator

from streamwatch.adapters.doctor.check import Advice, Check
from streamwatch.adapters.doctor.database_facts import NETWORK_FILE_SYSTEMS, DatabaseFacts

CONNECTIONS_OF_A_WORKER = 5
LEAST_FREE = 1 << 30
MOST_SKEW_MS = 60_000


def unreachable(why: str) -> Advice:
    """That the database does not answer."""
    return Advice(
        why,
        "state, rows and the place in the topics are one transaction there: without it "
        "consumption pauses",
        "start it, or put database (STREAMWATCH_DATABASE) right",
        "error",
    )


def _migrated(facts: DatabaseFacts) -> Iterator[Advice]:
    if facts.revision == facts.needed:
        return
    if facts.revision is not None and facts.revision > facts.needed:
        yield Advice(
            f"the database {facts.name} is at revision {facts.revision}, newer than this program, "
            f"which knows {facts.needed}",
            "a newer streamwatch has migrated it; workers of the release before it go on while "
            "they are replaced, older ones may not",
            "install the newer version here",
            "warning",
        )
        return
    state = f"at revision {facts.revision}" if facts.revision else "empty"
    yield Advice(
        f"the database {facts.name} is {state}; needed is {facts.needed}",
        "a worker does not start on tables that it does not know",
        "run: streamwatch db upgrade",
        "error",
    )


def _writable(facts: DatabaseFacts) -> Iterator[Advice]:
    if facts.in_recovery:
        yield Advice(
            f"the database {facts.name} is a standby and takes no writes",
            "every flush would fail, and consumption pauses",
            "name the primary in the address, or add target_session_attrs=read-write to it",
            "error",
        )
    elif facts.write_refused:
        yield Advice(
            f"the database takes no writes: {facts.write_refused}",
            "tables of taps are made while a worker runs, and every flush writes",
            "grant this user CREATE on the schema, or check the file's permissions and "
            "default_transaction_read_only",
            "error",
        )


def _network_disk(facts: DatabaseFacts) -> Iterator[Advice]:
    if facts.file_system in NETWORK_FILE_SYSTEMS:
        yield Advice(
            f"the SQLite file {facts.name} lies on a network file system ({facts.file_system})",
            "SQLite's locks do not hold there: two processes can damage the file",
            "move it to a local disk, or take PostgreSQL",
            "error",
        )


def _journal(facts: DatabaseFacts) -> Iterator[Advice]:
    if facts.journal not in ("", "wal", "memory"):
        yield Advice(
            f"the SQLite file {facts.name} is in journal mode {facts.journal}, not wal",
            "a reader, such as the pages, then stops the worker's flushes",
            "close what holds it open, then: sqlite3 FILE 'PRAGMA journal_mode = WAL'",
        )


def _disk(facts: DatabaseFacts) -> Iterator[Advice]:
    if facts.free_bytes is not None and facts.free_bytes < LEAST_FREE:
        yield Advice(
            f"the disk of {facts.name} has {facts.free_bytes / 1e6:,.0f} MB left",
            "a flush that finds no room fails, and consumption pauses",
            "make room, shorten the taps' retention, and run: streamwatch db prune",
        )


def _connections(facts: DatabaseFacts) -> Iterator[Advice]:
    if facts.most_connections is None:
        return
    left = facts.most_connections - facts.connections
    if left < CONNECTIONS_OF_A_WORKER:
        yield Advice(
            f"{facts.connections} of {facts.most_connections} connections of {facts.name} are in "
            f"use; a worker may need {CONNECTIONS_OF_A_WORKER}",
            "a worker that gets no connection waits, and its partitions with it",
            "raise max_connections, or put a pooler (PgBouncer in session mode) in front",
        )


def _zone(facts: DatabaseFacts) -> Iterator[Advice]:
    if facts.timezone not in ("", "UTC", "Etc/UTC", "GMT", "Etc/GMT", "Universal", "Zulu"):
        yield Advice(
            f"the database's time zone is {facts.timezone}",
            "streamwatch writes UTC; SQL of yours that casts a time to a date gets another day",
            "ALTER ROLE this_user SET timezone TO 'UTC'",
        )


def _clock(facts: DatabaseFacts) -> Iterator[Advice]:
    if abs(facts.clock_ahead_ms) > MOST_SKEW_MS:
        seconds = facts.clock_ahead_ms / 1000
        yield Advice(
            f"the database's clock is {abs(seconds):,.0f} s "
            f"{'ahead of' if seconds > 0 else 'behind'} this one's",
            "whoever compares times of rows with times of the worker's log is misled",
            "synchronise the clocks: chronyc tracking",
        )


def _durable(facts: DatabaseFacts) -> Iterator[Advice]:
    if not facts.durable:
        yield Advice(
            f"the database {facts.name} runs with fsync = off",
            "after a power cut it may be damaged, or behind the place that it says it has read",
            "set fsync = on, and restart it",
        )


DATABASE: tuple[Check[DatabaseFacts], ...] = (
    Check("migrated", "its tables are those that this version needs", _migrated),
    Check("writable", "it takes writes", _writable),
    Check("network-disk", "the SQLite file lies on a local disk", _network_disk),
    Check("journal", "readers do not stop the writer", _journal),
    Check("disk", "there is room on the disk", _disk),
    Check("connections", "there are connections left", _connections),
    Check("timezone", "it reckons in UTC", _zone),
    Check("database-clock", "its clock agrees with this one", _clock),
    Check("durable", "what it confirms survives a power cut", _durable),
)
