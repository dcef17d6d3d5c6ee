"""A seeded schedule of faults, up to three at once, with what each round took."""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import msgspec
from tests.chaos import broker_faults, database_faults, worker_faults
from tests.chaos.broker_faults import network
from tests.chaos.scene import WORKERS, Scene
from tests.chaos.worker_faults import Fault
from tests.integration.truth import Record

FULL = "database disk full"
CATALOGUE: dict[str, tuple[str, Fault]] = {
    "kill": ("worker", worker_faults.kill),
    "stop": ("worker", worker_faults.stop),
    "leave and join": ("worker", worker_faults.leave_and_join),
    "zombie": ("worker", worker_faults.zombie),
    "nap": ("worker", worker_faults.nap),
    "zombie in a flush": ("worker", worker_faults.zombie_in_a_flush),
    **{
        f"kill at {point}": ("worker", worker_faults.kill_at(point))
        for point in worker_faults.POINTS
    },
    "bug when prepared": ("worker", worker_faults.bug_at("prepared")),
    "bug when committed": ("worker", worker_faults.bug_at("committed")),
    "hanging stage": ("stage", worker_faults.hang),
    "clock step": ("clock", worker_faults.clock_step),
    "database restart": ("database", database_faults.database_restart),
    "database crash": ("database", database_faults.database_crash),
    "database frozen": ("database", database_faults.database_frozen),
    FULL: ("database", database_faults.database_full),
    "database read-only": ("database", database_faults.database_read_only),
    "database out of connections": ("database", database_faults.database_out_of_connections),
    "database sessions ended": ("database", database_faults.database_sessions),
    "database locked": ("database", database_faults.database_locked),
    "network to broker cut": ("network", network("broker", "cut")),
    "network to broker frozen": ("network", network("broker", "frozen")),
    "network to broker slow": ("network", network("broker", "slow")),
    "network to database cut": ("network", network("database", "cut")),
    "network to database frozen": ("network", network("database", "frozen")),
    "network to database slow": ("network", network("database", "slow")),
    "broker restart": ("broker", broker_faults.broker_restart),
    "broker crash": ("broker", broker_faults.broker_crash),
    "broker frozen": ("broker", broker_faults.broker_frozen),
    "partitions added": ("topic", broker_faults.partitions_added),
    "damaged state": ("alone", database_faults.spoiled_state("01c1ff")),
    "newer state": ("alone", database_faults.spoiled_state("fe80")),
}
"""Name → what it acts on, and the fault; two faults of a round never act on the same. `FULL` needs
a disk of the database's own, which only root can make."""


class Round(msgspec.Struct, frozen=True):
    """What happened in one round.

    Attributes:
        faults: their names, in the order in which they began.
        lasted: from the first fault to the end of the last one, seconds.
        recovery: from there until the database included all that was sent, seconds.
    """

    faults: tuple[str, ...]
    lasted: float
    recovery: float


def plan(rng: random.Random, wanted: int, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Rounds with so many faults in all; each name comes before any comes again."""
    rounds: list[tuple[str, ...]] = []
    waiting: list[str] = []
    while sum(len(one) for one in rounds) < wanted:
        if not waiting:
            waiting = rng.sample(names, len(names))
        chosen = [waiting.pop(0)]
        for name in list(waiting):
            places = {CATALOGUE[one][0] for one in (*chosen, name)}
            if len(places) == len(chosen) + 1 and "alone" not in places and len(chosen) < 3:
                waiting.remove(name)
                chosen.append(name)
        rounds.append(tuple(chosen))
    return rounds


def verify_identity(scene: Scene) -> None:
    """Where the records went, for each partition: in exactly one place."""
    wrong = scene.stage.rows(
        "SELECT * FROM accounting WHERE records_in <> aggregated + rejected + dead_lettered"
        " + duplicates OR records_in - duplicates + gaps <> next_offset - first_offset"
    )
    assert wrong == []


def carry_out(
    scene: Scene,
    rng: random.Random,
    rounds: Sequence[tuple[str, ...]],
    records: Sequence[Record],
    told: Callable[[Round], None] = lambda _: None,
) -> list[Round]:
    """Send the records in portions, each among the faults of a round."""
    done: list[Round] = []
    for number in range(WORKERS):
        scene.slots[number].start()
    scene.wait_until_ready()
    size = len(records) // len(rounds)
    for number, names in enumerate(rounds):
        last = number == len(rounds) - 1
        portion = records[number * size : None if last else (number + 1) * size]
        broker_stands = all(CATALOGUE[name][0] != "broker" for name in names)
        half = len(portion) // 2 if broker_stands else len(portion)
        scene.send(portion[:half])
        time.sleep(rng.uniform(0, 0.6))
        begun = time.monotonic()
        with ExitStack() as healing:
            for name in names:
                healing.enter_context(CATALOGUE[name][1](scene, rng))
                time.sleep(rng.uniform(0, 0.5))
            if half < len(portion):
                scene.send(portion[half:])
        lasted = time.monotonic() - begun
        done.append(Round(names, lasted, scene.wait_until_caught_up()))
        verify_identity(scene)
        told(done[-1])
    for slot in scene.slots:
        slot.clock_file.unlink(missing_ok=True)
    scene.wait_until_committed()
    return done
