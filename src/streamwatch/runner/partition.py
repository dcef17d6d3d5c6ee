"""One partition of one step: slices in; at a flush, one transaction and then messages out."""

from collections.abc import Sequence
from typing import Generic

import msgspec

from streamwatch.domain.accounting import Accounting
from streamwatch.domain.messages import Message
from streamwatch.domain.records import PartitionId, Slice
from streamwatch.domain.rows import Row
from streamwatch.domain.settings import FlushSettings
from streamwatch.domain.statevalue import pack, unpack
from streamwatch.runner.continuity import Continuity
from streamwatch.runner.ports import Flush, Stored
from streamwatch.steps.step import StateT, Step

OUTBOX = "~outbox"
"""State key of the messages that no step could make again: they are stored with the flush,
published after it, and published again when the partition is taken over."""

OUTBOX_VERSION = 1

RECORDS_A_VALUE = 150
"""Records that a further value is worth: its kilobytes are stored, sent and stored by JUDGE, and
shall take less room than a quarter of the records' own."""

URGENT_MS = 100
"""What somebody waits for is flushed so soon after the last flush; else a departure would wait for
the interval in every step."""

PATIENT_INTERVALS = 10
"""Intervals that pass at least before a flush that is not worth it."""


class Partition(Generic[StateT]):
    """The runner of one partition.

    It is used in this order: `process` slices; `prepare` a flush; the caller commits it and
    then calls `committed`; the caller publishes what that returns. If the commit fails, the
    partition is dropped and made anew from what is stored.

    Attributes:
        id: which partition of which step.
        fence: the next offset that the database does not yet include.
        accounting: where the records went.
        flushed_values: how many state values the last flush wrote.
    """

    def __init__(self, step: Step[StateT], partition: PartitionId, stored: Stored) -> None:
        states = dict(stored.states)
        outbox = states.pop(OUTBOX, None)
        self.id = partition
        self.fence = stored.fence or 0
        self.epoch = stored.epoch
        self.topic_id = stored.topic_id
        self.accounting = stored.accounting or Accounting()
        self.end_offset: int | None = None
        self.flushed_values = 0
        self._step = step
        self._state: StateT = step.restore(states)
        self._guard: Continuity = Continuity(self.fence)
        self._stored_fence = stored.fence
        self._has_outbox = outbox is not None
        self._waiting: list[Message] = (
            [] if outbox is None else unpack(outbox, list[Message], OUTBOX_VERSION, OUTBOX)
        )
        self._rows: list[Row] = []
        self._messages: list[Message] = []
        self._settled: list[Message] = []
        self._unflushed = 0
        self._is_urgent = False

    @property
    def state(self) -> StateT:
        """The step's state; read only."""
        return self._state

    @property
    def unflushed(self) -> int:
        """Records that were taken in since the last flush."""
        return self._unflushed

    @property
    def is_urgent(self) -> bool:
        """Whether somebody waits for what the next flush publishes."""
        return self._is_urgent

    def is_worth_a_flush(self, free_values: int) -> bool:
        """Whether its records are many for what a flush writes.

        It writes a value for every cell that changed, however few records changed it; the last
        flush tells how many those will be. A step between COUNT and people is worth one once
        it has something to tell.

        Args:
            free_values: state values that may be written however few the records.
        """
        if not self._step.accounted and not self._rows and not self._messages:
            return False
        beyond = max(0, self.flushed_values - free_values)
        return self._unflushed >= RECORDS_A_VALUE * beyond

    def is_due(self, waited: int, free_values: int, flush: FlushSettings) -> bool:
        """Whether it is time for a flush.

        Args:
            waited: since the last flush began, milliseconds.
            free_values: state values that may be written every interval however few the records.
            flush: how long is waited.
        """
        interval = flush.interval
        if self._is_urgent:
            return waited >= min(URGENT_MS, interval)
        if self.is_worth_a_flush(free_values):
            return waited >= interval or self._unflushed >= flush.records
        if waited >= max(flush.longest, interval) or len(self._rows) >= flush.records:
            return True
        # So many values are written at their own pace, whatever the pace of the records.
        patient = waited >= PATIENT_INTERVALS * interval
        return patient and self.flushed_values * interval <= free_values * waited

    def start_at(self, offset: int) -> None:
        """Where a partition that was never read begins; call it before the first slice."""
        if self._stored_fence is None:
            self.fence = offset
            self._guard = Continuity(offset)
            self.accounting.first_offset = self.accounting.next_offset = offset

    def announce(self) -> Sequence[Message]:
        """What a crash between commit and publish may have lost; publish it on assignment."""
        return [*self._waiting, *self._step.announce(self._state, self.fence, self.epoch)]

    def process(self, slice_: Slice, now_ms: int) -> int | None:
        """Take a slice in; returns where to seek to if it does not continue, else ``None``."""
        admission = self._guard.admit(slice_)
        counts = self.accounting
        counts.records_in += admission.duplicates
        counts.duplicates += admission.duplicates
        counts.gaps += admission.gaps
        if slice_.end_offset is not None:
            self.end_offset = slice_.end_offset
        if not admission.records:
            return admission.seek_to
        taken = msgspec.structs.replace(slice_, records=admission.records, epoch=self.epoch)
        outcome = self._step.process(self._state, taken, now_ms)
        counts.records_in += len(admission.records)
        counts.aggregated += outcome.aggregated
        counts.rejected += outcome.rejected
        counts.dead_lettered += outcome.dead_lettered
        counts.next_offset = self._guard.expected
        self._rows += outcome.rows
        self._messages += outcome.messages
        self._unflushed += len(admission.records)
        self._is_urgent = self._is_urgent or outcome.is_urgent
        return None

    def prepare(self, now_ms: int) -> Flush | None:
        """The next transaction, or ``None`` if there is nothing to write.

        It must be committed before the next one is prepared: while the database is away, the
        same is tried again.
        """
        if not self._unflushed and self._stored_fence is not None:
            return None
        fence = self._guard.expected
        settled = self._step.settle(self._state, fence, self.epoch, now_ms)
        changes = settled.changes
        if self._messages:
            changes[OUTBOX] = pack(OUTBOX_VERSION, self._messages)
        elif self._has_outbox:
            changes[OUTBOX] = None
        self._settled = settled.messages
        return Flush(
            partition=self.id,
            fence_old=self._stored_fence,
            fence_new=fence,
            epoch=self.epoch,
            topic_id=self.topic_id,
            changes=changes,
            rows=self._rows,
            accounting=msgspec.structs.replace(self.accounting) if self._step.accounted else None,
        )

    def committed(self, flush: Flush) -> Sequence[Message]:
        """The flush is in the database: its messages, to be published now."""
        messages = [*self._messages, *self._settled]
        self.fence = self._stored_fence = flush.fence_new
        self.flushed_values = len(flush.changes)
        self._has_outbox = bool(self._messages)
        self._rows, self._messages, self._settled = [], [], []
        self._unflushed = 0
        self._is_urgent = False
        return messages
