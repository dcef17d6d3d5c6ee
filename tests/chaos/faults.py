"""The faults: each a context manager that begins it and, at its end, heals it."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import psycopg
from kafka.admin import KafkaAdminClient, NewPartitions
from sqlalchemy import make_url
from tests.chaos.proxy import Mode, Proxy
from tests.chaos.scene import Scene, signal_all
from tests.chaos.supervised import Slot
from tests.integration.stage import wait_for

Fault = Callable[[Scene, random.Random], AbstractContextManager[None]]
POINTS = ("prepared", "committed", "published", "fenced", "writing", "loading")


def _slot(scene: Scene, rng: random.Random) -> Slot:
    return rng.choice([slot for slot in scene.slots if slot.wanted])


@contextmanager
def kill(scene: Scene, rng: random.Random) -> Iterator[None]:
    """SIGKILL at a random moment."""
    _slot(scene, rng).send_signal(signal.SIGKILL)
    yield


@contextmanager
def stop(scene: Scene, rng: random.Random) -> Iterator[None]:
    """SIGTERM, as a deployment does; the worker has to be gone in time."""
    slot = _slot(scene, rng)
    seconds = slot.stop()
    assert seconds < 11, f"a worker took {seconds:.1f} s to stop"
    yield
    slot.start()


@contextmanager
def leave_and_join(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Three times within seconds a worker leaves and another one joins."""
    slot = _slot(scene, rng)
    for _ in range(2):
        slot.stop()
        slot.start()
        time.sleep(rng.uniform(0, 2))
    yield


def kill_at(point: str) -> Fault:
    """SIGKILL at a point of a flush."""

    @contextmanager
    def fault(scene: Scene, rng: random.Random) -> Iterator[None]:
        _slot(scene, rng).start((point, rng.randint(1, 6), "kill"))
        yield

    return fault


def bug_at(point: str) -> Fault:
    """A bug that raises at a point of a flush: the worker has to end before it acknowledges."""

    @contextmanager
    def fault(scene: Scene, rng: random.Random) -> Iterator[None]:
        _slot(scene, rng).start((point, rng.randint(1, 4), "raise"))
        yield

    return fault


@contextmanager
def zombie(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Asleep until its partitions have moved on; then it wakes up."""
    slot = _slot(scene, rng)
    slot.send_signal(signal.SIGSTOP)
    time.sleep(rng.uniform(3.5, 5))
    yield
    slot.send_signal(signal.SIGCONT)


@contextmanager
def nap(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Asleep for less than the session timeout."""
    slot = _slot(scene, rng)
    slot.send_signal(signal.SIGSTOP)
    time.sleep(rng.uniform(0.2, 2))
    yield
    slot.send_signal(signal.SIGCONT)


@contextmanager
def zombie_in_a_flush(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Asleep between two steps of a flush, perhaps within its transaction, then awake."""
    slot = _slot(scene, rng)
    slot.start((rng.choice(POINTS[:5]), rng.randint(1, 4), "stop"))
    with suppress(AssertionError):  # it may have nothing to flush just now
        wait_for(lambda: slot.sleeps, "it fell asleep", 10)
        time.sleep(rng.uniform(3, 5))
    yield
    # One that has not fallen asleep yet would do so when nobody wakes it.
    slot.send_signal(signal.SIGCONT if slot.sleeps else signal.SIGKILL)


@contextmanager
def hang(scene: Scene, rng: random.Random) -> Iterator[None]:  # noqa: ARG001  all faults are called alike
    """A stage of the user's own hangs: liveness turns red, and the supervisor ends the worker."""
    ended = sum(slot.ended_as_stuck for slot in scene.slots)
    flag = scene.folder / "hang"
    flag.touch()
    yield
    with suppress(AssertionError):  # nothing may have come through the stage meanwhile
        wait_for(
            lambda: sum(slot.ended_as_stuck for slot in scene.slots) > ended, "red liveness", 18
        )
    flag.unlink()


@contextmanager
def clock_step(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Somebody sets a worker's clock by up to two hours."""
    slot = _slot(scene, rng)
    slot.clock_file.write_text(str(rng.randint(-7_200_000, 7_200_000)))
    yield
    if rng.random() < 0.5:
        slot.clock_file.write_text("0")


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
    url = make_url(scene.database.url).set(drivername="postgresql")
    address = url.render_as_string(hide_password=False)
    taken: list[psycopg.Connection[tuple[object, ...]]] = []
    database_sessions_ended(scene)
    with suppress(psycopg.OperationalError):
        while len(taken) < 300:
            taken.append(psycopg.connect(address, connect_timeout=3))
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
    url = make_url(scene.database.url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute("SELECT * FROM fences FOR UPDATE")
        time.sleep(rng.uniform(0.5, 4))
        yield
        connection.rollback()


def network(to: str, mode: Mode) -> Fault:
    """The network between one worker and the broker or the database."""

    @contextmanager
    def fault(scene: Scene, rng: random.Random) -> Iterator[None]:
        doors: list[Proxy] = scene.broker_doors if to == "broker" else scene.database_doors
        door = doors[_slot(scene, rng).number]
        door.set(mode)
        time.sleep(rng.uniform(0.5, 6 if to == "broker" else 3))
        yield
        door.set("pass")

    return fault


@contextmanager
def broker_restart(scene: Scene, rng: random.Random) -> Iterator[None]:
    """The broker is stopped and started."""
    scene.broker.stop()
    time.sleep(rng.uniform(0, 1))
    yield
    scene.broker = scene.start_broker()


@contextmanager
def broker_crash(scene: Scene, rng: random.Random) -> Iterator[None]:
    """SIGKILL to the broker."""
    assert scene.broker.pid is not None
    signal_all([scene.broker.pid], signal.SIGKILL)
    time.sleep(rng.uniform(0, 1))
    yield
    scene.broker = scene.start_broker()


@contextmanager
def broker_frozen(scene: Scene, rng: random.Random) -> Iterator[None]:
    """The broker is asleep."""
    assert scene.broker.pid is not None
    signal_all([scene.broker.pid], signal.SIGSTOP)
    time.sleep(rng.uniform(0.5, 6))
    yield
    signal_all([scene.broker.pid], signal.SIGCONT)


def spoiled_state(value: str) -> Fault:
    """A stored state is made unreadable: the worker refuses it, visibly, until it is mended."""

    @contextmanager
    def fault(scene: Scene, rng: random.Random) -> Iterator[None]:
        slot = _slot(scene, rng)
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
                40,
            )
        yield
        for step, topic, partition, key, good in rows:
            scene.admin(
                f"UPDATE states SET value = decode('{good}', 'hex') WHERE step = '{step}'"
                f" AND topic = '{topic}' AND partition = {partition} AND key = '{key}'"
            )

    return fault


@contextmanager
def partitions_added(scene: Scene, rng: random.Random) -> Iterator[None]:
    """A source gets one more partition, up to six."""
    topic = scene.stage.topic(rng.choice(["widget-event", "purchase", "return"]))
    client = KafkaAdminClient(bootstrap_servers=scene.broker.bootstrap)
    try:
        now = len(client.describe_topics([topic])[0]["partitions"])
        if now < 6:
            client.create_partitions({topic: NewPartitions(now + 1)})
    finally:
        client.close()
    yield
