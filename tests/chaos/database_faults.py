"""Faults of the database and of what it holds."""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from sqlalchemy import make_url
from tests.chaos.scene import Scene, signal_all
from tests.chaos.worker_faults import Fault, worker_place
from tests.integration.stage import wait_for


def address(scene: Scene) -> str:
    """Where psycopg finds the database."""
    url = make_url(scene.database.url).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


@contextmanager
def database_restart(scene: Scene, rng: random.Random) -> Iterator[None]:
    """The database is stopped and started."""
    scene.database.stop()
    time.sleep(rng.uniform(0, 2))
    yield
    scene.database = scene.start_database()
    scene.stage.engine.dispose()


@contextmanager
def database_crash(scene: Scene, rng: random.Random) -> Iterator[None]:
    """SIGKILL to the database; its newest commits may be gone (synchronous_commit=off)."""
    signal_all(scene.database_pids(), signal.SIGKILL)
    time.sleep(rng.uniform(0.2, 2))
    yield
    scene.database = scene.start_database()
    scene.stage.engine.dispose()


@contextmanager
def database_frozen(scene: Scene, rng: random.Random) -> Iterator[None]:
    """All of the database's processes are asleep: open connections, no answers."""
    pids = scene.database_pids()
    signal_all(pids, signal.SIGSTOP)
    time.sleep(rng.uniform(0.5, 3))
    try:
        yield
    finally:
        signal_all(pids, signal.SIGCONT)


@contextmanager
def database_full(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Nothing is left of the disk on which the tables lie."""
    assert scene.disk is not None
    scene.disk.fill()
    time.sleep(rng.uniform(1, 4))
    try:
        yield
    finally:
        scene.disk.free()


@contextmanager
def database_read_only(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Every transaction is read-only, as on a standby."""
    scene.admin("ALTER SYSTEM SET default_transaction_read_only = on")
    scene.admin("SELECT pg_reload_conf()")
    time.sleep(rng.uniform(0.5, 2))
    yield
    scene.admin("ALTER SYSTEM RESET default_transaction_read_only")
    scene.admin("SELECT pg_reload_conf()")


@contextmanager
def database_out_of_connections(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Somebody takes all connections, and the workers' own ones are ended."""
    taken: list[psycopg.Connection[tuple[object, ...]]] = []
    database_sessions_ended(scene)
    with suppress(psycopg.OperationalError):
        while len(taken) < 300:
            taken.append(psycopg.connect(address(scene), connect_timeout=3))
    time.sleep(rng.uniform(0.5, 2))
    yield
    for connection in taken:
        connection.close()


def database_sessions_ended(scene: Scene) -> None:
    """End every session of the workers."""
    scene.admin(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'streamwatch' AND pid <> pg_backend_pid()"
    )


@contextmanager
def database_sessions(scene: Scene, rng: random.Random) -> Iterator[None]:
    """An operator ends the workers' sessions, three times."""
    for _ in range(3):
        database_sessions_ended(scene)
        time.sleep(rng.uniform(0, 0.5))
    yield


@contextmanager
def database_locked(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Somebody holds the fences' locks for seconds."""
    with psycopg.connect(address(scene)) as connection:
        connection.execute("SELECT * FROM fences FOR UPDATE")
        time.sleep(rng.uniform(0.5, 4))
        yield
        connection.rollback()


def spoiled_state(value: str) -> Fault:
    """A stored state is made unreadable: the worker refuses it, visibly, until it is mended."""

    @contextmanager
    def fault(scene: Scene, rng: random.Random) -> Iterator[None]:
        slot = worker_place(scene, rng)
        for other in scene.slots:
            other.send_signal(signal.SIGSTOP)
        rows = scene.admin(
            "SELECT step, topic, partition, key, encode(value, 'hex') FROM states"
            " WHERE step = 'count' AND key = '~progress' ORDER BY topic, partition LIMIT 1"
        )
        for step, topic, partition, key, _ in rows:
            scene.admin(
                f"UPDATE states SET value = decode('{value}', 'hex') WHERE step = '{step}'"
                f" AND topic = '{topic}' AND partition = {partition} AND key = '{key}'"
            )
        exits = sum(len(other.exits) for other in scene.slots)
        for other in scene.slots:
            other.send_signal(signal.SIGKILL)
        slot.send_signal(signal.SIGKILL)
        if rows:
            wait_for(
                lambda: (
                    70 in [code for other in scene.slots for code in other.exits[-4:]]
                    and sum(len(other.exits) for other in scene.slots) > exits + 3
                ),
                "a worker that refuses the state",
                120,
            )
        yield
        for step, topic, partition, key, good in rows:
            scene.admin(
                f"UPDATE states SET value = decode('{good}', 'hex') WHERE step = '{step}'"
                f" AND topic = '{topic}' AND partition = {partition} AND key = '{key}'"
            )

    return fault
