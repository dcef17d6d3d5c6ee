"""Faults of workers: each a context manager that begins it and, at its end, heals it."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from tests.chaos.scene import Scene
from tests.chaos.supervised import Slot
from tests.integration.stage import wait_for

Fault = Callable[[Scene, random.Random], AbstractContextManager[None]]
POINTS = ("prepared", "committed", "published", "fenced", "writing", "loading")


def worker_place(scene: Scene, rng: random.Random) -> Slot:
    """The place of a worker that is to run."""
    return rng.choice([slot for slot in scene.slots if slot.wanted])


@contextmanager
def kill(scene: Scene, rng: random.Random) -> Iterator[None]:
    """SIGKILL at a random moment."""
    worker_place(scene, rng).send_signal(signal.SIGKILL)
    yield


@contextmanager
def stop(scene: Scene, rng: random.Random) -> Iterator[None]:
    """SIGTERM, as a deployment does; the worker has to be gone in time."""
    slot = worker_place(scene, rng)
    seconds = slot.stop()
    assert seconds < 11, f"a worker took {seconds:.1f} s to stop"
    yield
    slot.start()


@contextmanager
def leave_and_join(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Three times within seconds a worker leaves and another one joins."""
    slot = worker_place(scene, rng)
    for _ in range(2):
        slot.stop()
        slot.start()
        time.sleep(rng.uniform(0, 2))
    yield


def kill_at(point: str) -> Fault:
    """SIGKILL at a point of a flush."""

    @contextmanager
    def fault(scene: Scene, rng: random.Random) -> Iterator[None]:
        worker_place(scene, rng).start((point, rng.randint(1, 6), "kill"))
        yield

    return fault


def bug_at(point: str) -> Fault:
    """A bug that raises at a point of a flush: the worker has to end before it acknowledges."""

    @contextmanager
    def fault(scene: Scene, rng: random.Random) -> Iterator[None]:
        worker_place(scene, rng).start((point, rng.randint(1, 4), "raise"))
        yield

    return fault


@contextmanager
def zombie(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Asleep until its partitions have moved on; then it wakes up."""
    slot = worker_place(scene, rng)
    slot.send_signal(signal.SIGSTOP)
    time.sleep(rng.uniform(3.5, 5))
    yield
    slot.send_signal(signal.SIGCONT)


@contextmanager
def nap(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Asleep for less than the session timeout."""
    slot = worker_place(scene, rng)
    slot.send_signal(signal.SIGSTOP)
    time.sleep(rng.uniform(0.2, 2))
    yield
    slot.send_signal(signal.SIGCONT)


@contextmanager
def zombie_in_a_flush(scene: Scene, rng: random.Random) -> Iterator[None]:
    """Asleep between two steps of a flush, perhaps within its transaction, then awake."""
    slot = worker_place(scene, rng)
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
    slot = worker_place(scene, rng)
    slot.clock_file.write_text(str(rng.randint(-7_200_000, 7_200_000)))
    yield
    if rng.random() < 0.5:
        slot.clock_file.write_text("0")
