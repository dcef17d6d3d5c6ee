"""A store in memory that keeps the database's promises; for tests and trials."""

from typing import Any

import msgspec

from streamwatch.domain.accounting import Accounting
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import (
    DistributionRow,
    GroupRow,
    IncidentRow,
    OneRow,
    RejectRow,
    StageRow,
    TapRow,
    TapRows,
    VerdictRow,
)
from streamwatch.errors import FenceLostError
from streamwatch.runner.ports import Flush, Stored


class MemoryStore:
    """A `runner.ports.Store` without a database.

    Attributes:
        rows: key → row, as the tables would hold them.
        fences, states: by partition.
        accounting: by topic and partition.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[Any, ...], OneRow] = {}
        self.fences: dict[PartitionId, tuple[int, int, str]] = {}
        self.states: dict[PartitionId, dict[str, bytes]] = {}
        self.accounting: dict[tuple[str, int], Accounting] = {}

    def load(self, partition: PartitionId) -> Stored:
        """All that is stored of a partition."""
        fence, epoch, topic_id = self.fences.get(partition, (None, 0, ""))
        counts = self.accounting.get((partition.topic, partition.partition))
        return Stored(
            fence=fence,
            epoch=epoch,
            topic_id=topic_id,
            states=dict(self.states.get(partition, {})),
            accounting=None if counts is None else msgspec.structs.replace(counts),
        )

    def commit(self, flush: Flush) -> None:
        """Write a flush, or nothing of it.

        Raises:
            FenceLostError: the stored fence is not the expected one.
        """
        fence, epoch, _ = self.fences.get(flush.partition, (None, flush.epoch, ""))
        takes_over = flush.fence_old is None and epoch < flush.epoch
        if not takes_over and (fence, epoch) != (flush.fence_old, flush.epoch):
            raise FenceLostError(f"{flush.partition}: fence {fence}, expected {flush.fence_old}")
        self.fences[flush.partition] = (flush.fence_new, flush.epoch, flush.topic_id)
        states = self.states.setdefault(flush.partition, {})
        for key, value in flush.changes.items():
            if value is None:
                states.pop(key, None)
            else:
                states[key] = value
        for row in flush.rows:
            for one in row if isinstance(row, TapRows) else (row,):
                self._write(one)
        if flush.accounting is not None:
            place = (flush.partition.topic, flush.partition.partition)
            self.accounting[place] = flush.accounting

    def _write(self, row: OneRow) -> None:
        key = key_of(row)
        held = self.rows.get(key)
        if isinstance(row, VerdictRow) and isinstance(held, VerdictRow):
            if row.verdict.version < held.verdict.version:
                return
        elif isinstance(row, IncidentRow) and isinstance(held, IncidentRow):
            if row.incident.revision < held.incident.revision:
                return
        elif isinstance(row, TapRow | RejectRow) and held is not None:
            return
        self.rows[key] = row


def key_of(row: OneRow) -> tuple[Any, ...]:
    """The key under which a row stands once, however often it is written."""
    if isinstance(row, TapRow):
        return ("tap", row.event_type, row.stage, row.topic, row.partition, row.epoch, row.offset)
    if isinstance(row, RejectRow):
        return ("reject", row.topic, row.partition, row.epoch, row.offset)
    if isinstance(row, StageRow):
        return ("stage", row.shop, row.event_type, row.span, row.bucket, row.stage, row.feature)
    if isinstance(row, GroupRow):
        place = (row.shop, row.event_type, row.span, row.bucket)
        return ("group", *place, row.labels, row.value, row.feature)
    if isinstance(row, DistributionRow):
        return ("distribution", row.shop, row.event_type, row.span, row.bucket, row.feature)
    if isinstance(row, VerdictRow):
        return ("verdict", row.verdict.key, row.verdict.bucket)
    return ("incident", row.incident.id)
