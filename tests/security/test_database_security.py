"""PostgreSQL that demands TLS, and roles that may do only what they need."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url
from tests.security.certificates import Authority

from streamwatch.adapters.local.postgres import LocalPostgres, start_postgres

SECRET = "geheim-4711"  # noqa: S105  of a server that lives as long as a test
ROLES = Path(__file__).parents[2] / "deploy" / "sql"
STORY = [
    f'{{"event_id":"e-{n}","shop":"s","time":"2026-09-0{1 + n % 5}T10:00:00Z","height":170}}'
    for n in range(40)
]


class Server:
    """A server with TLS, and logins that have streamwatch's roles."""

    def __init__(self, running: LocalPostgres, authority: Authority) -> None:
        self.url = make_url(running.url)
        self.authority = authority

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        url = self.url.set(drivername="postgresql", database=database)
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def address(self, user: str, **options: str) -> str:
        """An address of streamwatch's database as this user, over TLS that is checked."""
        checked = {"sslmode": "verify-full", "sslrootcert": str(self.authority.certificate)}
        url = URL.create(
            "postgresql", user, SECRET, "127.0.0.1", self.url.port, "shops", {**checked, **options}
        )
        return url.render_as_string(hide_password=False)

    def run_script(self, name: str, user: str) -> None:
        with psycopg.connect(self.address(user), autocommit=True) as connection:
            connection.execute((ROLES / name).read_text().encode())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Server]:
    running = start_postgres(tmp_path_factory.mktemp("secure-postgres"))
    made = Server(running, authority)
    with made.connect() as admin:
        [(folder,)] = admin.execute("SHOW data_directory").fetchall()
        owner = Path(str(folder)).stat()
        for source, name in zip(
            authority.issue("database"), ("server.crt", "server.key"), strict=True
        ):
            target = Path(str(folder)) / name
            shutil.copy(source, target)
            target.chmod(0o600)
            os.chown(target, owner.st_uid, owner.st_gid)
        (Path(str(folder)) / "pg_hba.conf").write_text(
            "host all streamwatch 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        )
        admin.execute("ALTER SYSTEM SET ssl = on")
        admin.execute("SELECT pg_reload_conf()")
        admin.execute("CREATE DATABASE shops")
        admin.execute(f"CREATE ROLE admin LOGIN SUPERUSER PASSWORD '{SECRET}'")
        made.run_script("worker_role.sql", "admin")
        admin.execute(f"CREATE ROLE worker LOGIN PASSWORD '{SECRET}' IN ROLE streamwatch_owner")
        admin.execute("ALTER ROLE worker SET role = streamwatch_owner")
    yield made
    running.remove()


def streamwatch(folder: Path, database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith("STREAMWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "streamwatch", *arguments],
        cwd=folder,
        env={**own, "STREAMWATCH_DATABASE": database},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_a_worker_needs_no_more_than_its_own_tables_and_the_web_role_only_reads(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "events.jsonl").write_text("\n".join(STORY) + "\n")
    worker = server.address("worker")
    for command in (
        ("db", "upgrade"),
        ("watch", "events.jsonl", "--topic", "widget-event"),
        ("db", "status"),
        ("db", "prune"),
    ):
        done = streamwatch(tmp_path, worker, *command)
        assert done.returncode == 0, (command, done.stderr)
        assert SECRET not in done.stdout + done.stderr
    with psycopg.connect(worker) as connection:
        assert connection.pgconn.ssl_in_use
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE another")

    with server.connect("shops") as admin:
        admin.execute((ROLES / "web_role.sql").read_text().encode())
        admin.execute(f"CREATE ROLE web LOGIN PASSWORD '{SECRET}' IN ROLE streamwatch_web")
    web = server.address("web")
    listed = streamwatch(tmp_path, web, "incidents", "list")
    assert listed.returncode in (0, 1), listed.stderr
    with psycopg.connect(web, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM verdicts").fetchall() != []
        for forbidden in (
            "SELECT * FROM shop_keys",
            "SELECT * FROM states",
            "DELETE FROM incidents",
            "UPDATE verdicts SET value = 0",
            "DELETE FROM acknowledgements",
            "CREATE TABLE mine (x int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden.encode())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"sslrootcert": "/nowhere.pem"}, "root certificate file"),
        ({"sslmode": "disable"}, "no pg_hba.conf entry"),
    ],
)
def test_a_connection_that_is_not_as_it_must_be_is_refused_without_the_password(
    server: Server, tmp_path: Path, options: dict[str, str], told: str
) -> None:
    done = streamwatch(tmp_path, server.address("worker", **options), "db", "status")
    assert done.returncode == 3
    assert told in done.stderr
    assert SECRET not in done.stderr


def test_the_address_is_shown_without_its_password(server: Server, tmp_path: Path) -> None:
    done = streamwatch(tmp_path, server.address("worker"), "config", "show")
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout
