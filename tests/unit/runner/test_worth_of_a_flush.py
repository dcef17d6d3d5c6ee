"""A flush that would write many values for few records waits for more of them."""

from collections.abc import Mapping

from streamwatch.domain.messages import Message
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.settings import FlushSettings
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.partition import RECORDS_A_VALUE, Partition
from streamwatch.steps.step import Outcome, Settled

FREE_VALUES = 100
PLACE = PartitionId("keeping", "readings", 0)


class KeepingStep:
    """Keeps each record under its text; ``tell`` is told on, too."""

    name = "keeping"

    def __init__(self, accounted: bool) -> None:
        self.accounted = accounted

    def restore(self, states: Mapping[str, bytes]) -> dict[str, bytes | None]:
        return dict(states)

    def process(self, state: dict[str, bytes | None], slice_: Slice, now_ms: int) -> Outcome:
        del now_ms
        values = [record.value or b"" for record in slice_.records]
        state.update({value.decode(): value for value in values})
        told = [Message("told", None, value) for value in values if value == b"tell"]
        return Outcome(messages=told, aggregated=len(values))

    def settle(
        self, state: dict[str, bytes | None], fence: int, epoch: int, now_ms: int
    ) -> Settled:
        del fence, epoch, now_ms
        changes, settled = dict(state), Settled()
        state.clear()
        settled.changes.update(changes)
        return settled

    def announce(self, state: dict[str, bytes | None], fence: int, epoch: int) -> list[Message]:
        del state, fence, epoch
        return []


class Keeper:
    """A partition to which texts are given, and that is flushed."""

    def __init__(self, accounted: bool = True) -> None:
        self._store = MemoryStore()
        self.partition = Partition(KeepingStep(accounted), PLACE, self._store.load(PLACE))

    def take(self, *texts: str) -> None:
        begin = self.partition.fence + self.partition.unflushed
        records = [FileRecord(begin + n, text.encode()) for n, text in enumerate(texts)]
        assert self.partition.process(Slice("readings", 0, records), 0) is None

    def flush(self) -> None:
        flush = self.partition.prepare(0)
        assert flush is not None
        self._store.commit(flush)
        self.partition.committed(flush)


def test_few_values_are_worth_a_flush_however_few_the_records() -> None:
    keeper = Keeper()
    keeper.take(*(str(number) for number in range(FREE_VALUES)))
    keeper.flush()
    keeper.take("one")
    assert keeper.partition.is_worth_a_flush(FREE_VALUES)


def test_a_value_for_every_record_is_not_worth_a_flush() -> None:
    keeper = Keeper()
    keeper.take(*(str(number) for number in range(10 * FREE_VALUES)))
    assert keeper.partition.is_worth_a_flush(
        FREE_VALUES
    )  # nobody knows yet how many values there will be
    keeper.flush()
    keeper.take(*(str(number) for number in range(10 * FREE_VALUES)))
    assert not keeper.partition.is_worth_a_flush(FREE_VALUES)


def test_many_values_are_worth_a_flush_once_their_records_are_many() -> None:
    keeper = Keeper()
    keeper.take(*(str(number) for number in range(FREE_VALUES + 2)))
    keeper.flush()
    keeper.take(*(["one"] * (2 * RECORDS_A_VALUE - 1)))
    assert not keeper.partition.is_worth_a_flush(FREE_VALUES)
    keeper.take("one")
    assert keeper.partition.is_worth_a_flush(FREE_VALUES)


def test_a_step_that_has_nothing_to_tell_is_not_worth_a_flush() -> None:
    keeper = Keeper(accounted=False)
    keeper.take("kept")
    assert not keeper.partition.is_worth_a_flush(FREE_VALUES)
    keeper.take("tell")
    assert keeper.partition.is_worth_a_flush(FREE_VALUES)


FLUSH = FlushSettings(interval=1_000, longest=60_000, records=50_000)


def crowded() -> Keeper:
    """Its last flush wrote twenty times as many values as are free, and few records came since."""
    keeper = Keeper()
    keeper.take(*(str(number) for number in range(20 * FREE_VALUES)))
    keeper.flush()
    keeper.take("one")
    return keeper


def test_a_flush_of_many_values_keeps_to_the_pace_of_values() -> None:
    partition = crowded().partition
    assert not partition.is_due(19_000, FREE_VALUES, FLUSH)
    assert partition.is_due(20_000, FREE_VALUES, FLUSH)


def test_a_flush_never_waits_for_longer_than_was_set() -> None:
    partition = crowded().partition
    assert not partition.is_due(59_000, FREE_VALUES // 10, FLUSH)
    assert partition.is_due(60_000, FREE_VALUES // 10, FLUSH)


def test_a_step_that_has_nothing_to_tell_waits_for_ten_intervals() -> None:
    keeper = Keeper(accounted=False)
    keeper.take("kept")
    assert not keeper.partition.is_due(9_000, FREE_VALUES, FLUSH)
    assert keeper.partition.is_due(10_000, FREE_VALUES, FLUSH)


def test_a_flush_that_is_worth_it_waits_for_an_interval_or_for_records() -> None:
    keeper = Keeper()
    keeper.take("one")
    assert not keeper.partition.is_due(999, FREE_VALUES, FLUSH)
    assert keeper.partition.is_due(1_000, FREE_VALUES, FLUSH)
    keeper.take(*(["one"] * FLUSH.records))
    assert keeper.partition.is_due(0, FREE_VALUES, FLUSH)
