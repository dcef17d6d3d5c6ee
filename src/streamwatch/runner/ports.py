"""What the runner needs from the world; adapters provide it, and `runner.memory` does in tests."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from streamwatch.domain.accounting import Accounting
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import Row


class Clock(Protocol):
    """The wall clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        ...


class Stored(msgspec.Struct, frozen=True):
    """What the database knows of one partition of one step.

    Attributes:
        fence: the next offset that the state does not yet include; ``None`` when the
            partition was never read.
        epoch: counts how often the topic was deleted and made anew.
        topic_id: Kafka's id of the topic that the fence belongs to; empty if unknown.
        states: state key → versioned msgpack.
        accounting: where the records went; ``None`` when the step does not count them.
    """

    fence: int | None
    epoch: int
    topic_id: str
    states: Mapping[str, bytes]
    accounting: Accounting | None

    def serving(self, topic_id: str) -> "Stored":
        """What is stored, as it serves the topic that exists now.

        A topic that was deleted and made anew has another id, and its offsets start over:
        the state stays, the fence goes, and the epoch counts on. An empty id is not known.
        """
        if not topic_id or self.topic_id == topic_id:
            return self
        if not self.topic_id or self.fence is None:
            return msgspec.structs.replace(self, topic_id=topic_id)
        return msgspec.structs.replace(
            self, fence=None, epoch=self.epoch + 1, topic_id=topic_id, accounting=None
        )


class Flush(msgspec.Struct, frozen=True):
    """What one database transaction writes: all of it or nothing.

    Attributes:
        partition: whose flush it is.
        fence_old, fence_new: compare-and-swap; ``None`` as the old one creates the row.
        changes: state key → new value, or ``None`` to delete it.
        rows: rows for people; writing one again changes nothing.
        accounting: replaces the stored one.
    """

    partition: PartitionId
    fence_old: int | None
    fence_new: int
    epoch: int
    topic_id: str
    changes: Mapping[str, bytes | None]
    rows: Sequence[Row]
    accounting: Accounting | None


class Store(Protocol):
    """The database; calls block and are made from one thread at a time."""

    def load(self, partition: PartitionId) -> Stored:
        """All that is stored of a partition.

        Raises:
            DatabaseError: the database does not answer.
        """
        ...

    def commit(self, flush: Flush) -> None:
        """Write a flush in one transaction.

        Raises:
            FenceLostError: the stored fence or epoch is not ``fence_old``; nothing was written.
            DatabaseError: the database does not answer; nothing was written.
        """
        ...
