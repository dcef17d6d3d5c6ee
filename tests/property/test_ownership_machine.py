"""Two workers and a partition, in any order of things: what is acknowledged is in the database."""

import json
from collections import Counter
from datetime import UTC

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streamwatch.domain.messages import JudgeInput, Message, Partial
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.rows import RejectRow
from streamwatch.domain.settings import Settings
from streamwatch.errors import DatabaseError, FenceLostError
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.partition import Partition
from streamwatch.runner.ports import Flush
from streamwatch.steps.count import CountStep
from streamwatch.steps.countstate import CountState
from streamwatch.steps.sources import compile_sources

NOW = 1_788_256_800_000
SOURCE = compile_sources(Settings(), (), lambda _: UTC, b"k" * 32)["purchase"]
PLACE = PartitionId("count", "purchase", 0)
WORKERS = st.sampled_from([0, 1])


class AwayStore(MemoryStore):
    """A database that is away when it is told so."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False

    def commit(self, flush: Flush) -> None:
        if self.away:
            raise DatabaseError("away")
        super().commit(flush)


class Owner:
    """A worker that believes that it owns the partition."""

    def __init__(self, store: MemoryStore) -> None:
        self.runner: Partition[CountState] = Partition(
            CountStep(SOURCE, 0), PLACE, store.load(PLACE)
        )
        self.position = self.runner.fence
        self.generation = 0
        self.waiting: Flush | None = None


class Ownership(RuleBasedStateMachine):
    """Records are sent; two workers take, flush, fail, die, sleep and wake up as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.store = AwayStore()
        self.log: list[FileRecord] = []
        self.end = 0
        self.workers = [Owner(self.store), Owner(self.store)]
        self.published: list[Message] = []
        self.acknowledged = 0

    @rule(count=st.integers(1, 6), bad=st.booleans(), hole=st.integers(0, 2))
    def send(self, count: int, bad: bool, hole: int) -> None:
        self.end += hole
        for number in range(count):
            event = {"event_id": f"e-{self.end}", "shop": "s", "time": NOW}
            value = b"junk" if bad and number == 0 else json.dumps(event).encode()
            self.log.append(FileRecord(self.end, value, NOW, b"s"))
            self.end += 1

    @rule(which=WORKERS, count=st.integers(1, 9))
    def take(self, which: int, count: int) -> None:
        worker = self.workers[which]
        if worker.waiting is not None:
            return  # nothing is taken in while a flush is under way
        fetched = [one for one in self.log if one.offset >= worker.position][:count]
        if not fetched:
            return
        seek_to = worker.runner.process(Slice("purchase", 0, fetched, worker.generation), NOW)
        if seek_to is None:
            worker.position = fetched[-1].offset + 1
        else:
            worker.position, worker.generation = seek_to, worker.generation + 1

    @rule(which=WORKERS, back=st.integers(1, 5))
    def deliver_again(self, which: int, back: int) -> None:
        """The consumer goes back, as after a rebalance that came to nothing."""
        worker = self.workers[which]
        if worker.waiting is not None:
            return
        worker.position = max(0, worker.position - back)

    @rule(which=WORKERS, publishes=st.booleans())
    def flush(self, which: int, publishes: bool) -> None:
        worker = self.workers[which]
        prepared = worker.waiting or worker.runner.prepare(NOW)
        if prepared is None:
            return
        try:
            self.store.commit(prepared)
        except FenceLostError:
            self.workers[which] = Owner(self.store)
            return
        except DatabaseError:
            worker.waiting = prepared  # the same is tried until the database answers
            return
        worker.waiting = None
        messages = worker.runner.committed(prepared)
        if publishes:
            self.published += messages
            self.acknowledged = max(self.acknowledged, worker.runner.fence)
        else:
            self.die(which)

    @rule(which=WORKERS)
    def die(self, which: int) -> None:
        """Another process takes over; it publishes what may be unpublished."""
        self.workers[which] = Owner(self.store)
        self.published += self.workers[which].runner.announce()

    @precondition(lambda self: not self.store.away)
    @rule()
    def database_goes(self) -> None:
        self.store.away = True

    @precondition(lambda self: self.store.away)
    @rule()
    def database_comes(self) -> None:
        self.store.away = False

    @invariant()
    def what_is_acknowledged_is_in_the_database(self) -> None:
        fence = self.store.load(PLACE).fence
        assert self.acknowledged <= (fence or 0)

    @invariant()
    def every_record_below_the_fence_is_in_exactly_one_place(self) -> None:
        stored = self.store.load(PLACE)
        if stored.fence is None or stored.accounting is None:
            return
        counts = stored.accounting
        assert counts.adds_up
        below = [one for one in self.log if one.offset < stored.fence]
        bad = sum(one.value == b"junk" for one in below)
        assert counts.aggregated == len(below) - bad
        assert counts.dead_lettered == bad
        rejects = [row for row in self.store.rows.values() if isinstance(row, RejectRow)]
        assert Counter(row.offset for row in rejects) == Counter(
            one.offset for one in below if one.value == b"junk"
        )

    def teardown(self) -> None:
        """At last everything is read, and the newest partial counts each good record once."""
        self.store.away = False
        self.die(0)
        for _ in range(3):  # a hole is sought for once
            self.take(0, 1_000)
        self.flush(0, publishes=True)
        self.published += Owner(self.store).runner.announce()
        self.every_record_below_the_fence_is_in_exactly_one_place()
        good = sum(one.value != b"junk" for one in self.log)
        assert newest_count(self.published) == good


def newest_count(messages: list[Message]) -> int:
    """Records in the newest partial of each hour, as JUDGE keeps them."""
    kept: dict[int, Partial] = {}
    for message in messages:
        if not message.topic.endswith("readings"):
            continue
        partial = msgspec.msgpack.decode(message.value or b"", type=JudgeInput)
        if isinstance(partial, Partial):
            known = kept.get(partial.hour)
            if known is None or partial.version >= known.version:
                kept[partial.hour] = partial
    return sum(partial.cells["all"].count for partial in kept.values())


TestOwnership = Ownership.TestCase
TestOwnership.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
