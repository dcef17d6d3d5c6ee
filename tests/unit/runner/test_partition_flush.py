"""One partition: its flush is all or nothing, and nobody but its owner can write it."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest

from streamwatch.domain.messages import Message
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.rows import RejectRow
from streamwatch.errors import FenceLostError, StateError
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.partition import OUTBOX, Partition
from streamwatch.steps.step import Outcome, Settled

PLACE = PartitionId("adding", "numbers", 2)


class Sum(msgspec.Struct):
    total: int = 0


class AddingStep:
    """Adds numbers; a negative one is a dead letter and a row."""

    name = "adding"
    accounted = True

    def restore(self, states: Mapping[str, bytes]) -> Sum:
        return Sum(int(states.get("sum", b"0")))

    def process(self, state: Sum, slice_: Slice, now_ms: int) -> Outcome:
        outcome = Outcome()
        for record in slice_.records:
            number = int(record.value or b"0")
            if number < 0:
                outcome.messages.append(Message("numbers.dlq", None, record.value or b""))
                outcome.rows.append(row_of(record.offset, slice_.epoch, now_ms))
                outcome.dead_lettered += 1
            else:
                state.total += number
                outcome.aggregated += 1
        return outcome

    def settle(self, state: Sum, fence: int, epoch: int, now_ms: int) -> Settled:
        del now_ms
        changes: dict[str, bytes | None] = {"sum": str(state.total).encode()}
        return Settled(changes, self.announce(state, fence, epoch))

    def announce(self, state: Sum, fence: int, epoch: int) -> list[Message]:
        return [Message("sums", b"sum", f"{state.total}@{epoch}.{fence}".encode())]


def row_of(offset: int, epoch: int, now_ms: int) -> RejectRow:
    return RejectRow(
        "numbers", 2, offset, "return", "dead-letter", "decode", "negative", "", None, None, None,
        now_ms, "", epoch,
    )  # fmt: skip


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def owner(store: MemoryStore, topic_id: str = "") -> Partition[Sum]:
    """A worker that was assigned the partition."""
    return Partition(AddingStep(), PLACE, store.load(PLACE).serving(topic_id))


def fetched(*numbers: int, at: int = 0, end: int | None = None) -> Slice:
    records = [FileRecord(at + i, str(n).encode()) for i, n in enumerate(numbers)]
    return Slice("numbers", 2, records, end_offset=end)


def flush(store: MemoryStore, partition: Partition[Sum]) -> Sequence[Message]:
    prepared = partition.prepare(0)
    assert prepared is not None
    store.commit(prepared)
    return partition.committed(prepared)


def test_what_was_flushed_is_there_after_a_restart(store: MemoryStore) -> None:
    first = owner(store)
    first.process(fetched(1, 2, 3), 0)
    flush(store, first)
    second = owner(store)
    assert (second.fence, second.state.total, second.accounting.adds_up) == (3, 6, True)


def test_what_was_not_flushed_is_counted_by_the_next_owner(store: MemoryStore) -> None:
    first = owner(store)
    first.process(fetched(1, 2), 0)
    flush(store, first)
    first.process(fetched(4, at=2), 0)
    second = owner(store)
    second.process(fetched(4, 8, at=2), 0)
    flush(store, second)
    assert owner(store).state.total == 15
    assert owner(store).accounting.duplicates == 0


def test_a_redelivery_changes_nothing_but_the_duplicates(store: MemoryStore) -> None:
    worker = owner(store)
    worker.process(fetched(1, 2, 3), 0)
    worker.process(fetched(1, 2, 3, 4), 0)
    flush(store, worker)
    counts = owner(store).accounting
    assert (worker.state.total, counts.records_in, counts.duplicates) == (10, 7, 3)
    assert counts.adds_up


def test_a_zombie_writes_nothing(store: MemoryStore) -> None:
    zombie = owner(store)
    zombie.process(fetched(1, -2), 0)
    heir = owner(store)
    heir.process(fetched(1, -2, 3), 0)
    flush(store, heir)
    before = (dict(store.rows), dict(store.states[PLACE]), dict(store.fences))
    late = zombie.prepare(99)
    assert late is not None
    with pytest.raises(FenceLostError, match=r"adding:numbers\[2\]"):
        store.commit(late)
    assert (store.rows, store.states[PLACE], store.fences) == before


def test_a_zombie_that_read_as_far_as_its_heir_is_refused_too(store: MemoryStore) -> None:
    zombie, heir = owner(store), owner(store)
    for worker in (zombie, heir):
        worker.process(fetched(1, 2), 0)
    flush(store, heir)
    late = zombie.prepare(0)
    assert late is not None
    with pytest.raises(FenceLostError):
        store.commit(late)


def test_the_outbox_is_announced_by_the_next_owner_as_it_was(store: MemoryStore) -> None:
    """The worker dies after the commit, before it published."""
    first = owner(store)
    first.process(fetched(1, -2, -3), 0)
    published = flush(store, first)
    assert [message.value for message in published] == [b"-2", b"-3", b"1@0.3"]
    assert list(owner(store).announce()) == list(published)


def test_the_outbox_is_emptied_by_the_next_flush(store: MemoryStore) -> None:
    worker = owner(store)
    worker.process(fetched(-1), 0)
    flush(store, worker)
    worker.process(fetched(5, at=1), 0)
    flush(store, worker)
    assert OUTBOX not in store.states[PLACE]
    assert [message.value for message in owner(store).announce()] == [b"5@0.2"]


def test_an_outbox_that_was_taken_over_is_emptied_by_the_next_flush(store: MemoryStore) -> None:
    first = owner(store)
    first.process(fetched(-1), 0)
    flush(store, first)
    second = owner(store)
    second.process(fetched(5, at=1), 0)
    assert [message.value for message in flush(store, second)] == [b"5@0.2"]
    assert OUTBOX not in store.states[PLACE]


def test_messages_are_published_once_by_an_owner_that_lives_on(store: MemoryStore) -> None:
    worker = owner(store)
    worker.process(fetched(-1), 0)
    assert len(flush(store, worker)) == 2
    worker.process(fetched(-2, at=1), 0)
    assert [message.value for message in flush(store, worker)] == [b"-2", b"0@0.2"]


def test_a_damaged_outbox_is_named(store: MemoryStore) -> None:
    store.fences[PLACE] = (1, 0, "")
    store.states[PLACE] = {OUTBOX: b"\x01\xc1"}
    with pytest.raises(StateError, match="~outbox"):
        owner(store)


def test_there_is_nothing_to_flush_when_nothing_came(store: MemoryStore) -> None:
    worker = owner(store)
    assert worker.prepare(0) is not None  # the fence of a new partition
    flush(store, worker)
    assert worker.prepare(0) is None
    worker.process(fetched(1), 0)
    assert worker.unflushed == 1
    flush(store, worker)
    assert worker.prepare(0) is None


def test_a_partition_that_was_never_read_begins_where_it_is_told(store: MemoryStore) -> None:
    worker = owner(store)
    worker.start_at(40)
    assert worker.process(fetched(1, at=41), 0) == 40
    worker.process(Slice("numbers", 2, [FileRecord(40, b"1")], generation=1), 0)
    flush(store, worker)
    counts = owner(store).accounting
    assert (counts.first_offset, counts.next_offset, counts.adds_up) == (40, 41, True)


def test_a_partition_that_was_read_does_not_begin_anew(store: MemoryStore) -> None:
    worker = owner(store)
    worker.process(fetched(1, 2), 0)
    flush(store, worker)
    heir = owner(store)
    heir.start_at(0)
    assert heir.fence == 2


def test_real_gaps_are_accounted_for(store: MemoryStore) -> None:
    worker = owner(store)
    assert worker.process(fetched(7, at=3, end=9), 0) == 0
    slice_ = msgspec.structs.replace(fetched(7, at=3, end=9), generation=1)
    assert worker.process(slice_, 0) is None
    assert (worker.accounting.gaps, worker.accounting.adds_up, worker.end_offset) == (3, True, 9)


def test_a_topic_made_anew_starts_over_and_keeps_the_state(store: MemoryStore) -> None:
    worker = owner(store, "old")
    worker.process(fetched(1, -2), 0)
    flush(store, worker)
    anew = owner(store, "new")
    assert (anew.epoch, anew.state.total) == (1, 1)
    anew.start_at(0)
    anew.process(fetched(10, -20), 0)
    assert [message.value for message in flush(store, anew)] == [b"-20", b"11@1.2"]
    assert len(store.rows) == 2
    assert (anew.accounting.records_in, anew.accounting.adds_up) == (2, True)


def test_the_same_topic_goes_on(store: MemoryStore) -> None:
    worker = owner(store, "same")
    worker.process(fetched(1), 0)
    flush(store, worker)
    assert (owner(store, "same").fence, owner(store, "").epoch) == (1, 0)
