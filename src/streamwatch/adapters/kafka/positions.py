"""Where a worker's partitions stand: for the judges in heartbeats, and for the metrics."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka.errors import IllegalStateError  # type: ignore[import-untyped]
from faust.types import TP

from streamwatch.adapters.kafka.driver import SliceConsumer
from streamwatch.adapters.kafka.logends import LogEnds
from streamwatch.adapters.kafka.owned import OwnedPartitions
from streamwatch.adapters.prometheus.partitions import PartitionStatus
from streamwatch.domain.messages import Heartbeat
from streamwatch.runner.partition import Partition
from streamwatch.runner.ports import Clock
from streamwatch.steps.count import CountStep
from streamwatch.steps.heartbeat import heartbeat
from streamwatch.steps.source import Source

POSITION_SECONDS = 0.5
"""How long the consumer is asked for a position; without one it is asked again the next time."""


class Positions:
    """Asks the consumer how far each log goes.

    Args:
        owned: the partitions.
        sources: source topic → what COUNT runs on it.
        consumer: gives the consumer of now; Faust makes it when it starts.
        clock: the wall clock.
    """

    def __init__(
        self,
        owned: OwnedPartitions,
        sources: Mapping[str, Source],
        consumer: Callable[[], SliceConsumer],
        clock: Clock,
    ) -> None:
        self._owned = owned
        self._sources = sources
        self._consumer = consumer
        self._clock = clock
        self._log_ends = LogEnds()

    async def heartbeats(self) -> dict[TP, Heartbeat]:
        """The heartbeat of every owned source partition that has records."""
        now = self._clock.now_ms()
        beats = {}
        async for tp, runner in self._owned.settled():
            source = self._sources.get(tp.topic)
            if source is not None and not source.stage:
                await self._look_behind(tp, runner)
                lag = max(0, (self._end_of(tp, runner) or runner.fence) - runner.fence)
                position = (tp.partition, runner.fence, runner.epoch)
                step = CountStep(source, tp.partition)
                beat = heartbeat(step, runner.state, position, lag, now)
                if beat is not None:
                    beats[tp] = beat
        return beats

    async def _look_behind(self, tp: TP, runner: Partition[Any]) -> None:
        """Whether records wait behind the fence, or only offsets without one."""
        consumer = self._consumer()
        end = consumer.highwater(tp) or runner.end_offset or 0
        if end > runner.fence >= consumer.fetched_to(tp) and not runner.unflushed:
            # A partition that is just revoked, or sought in, has no position: flushes go on.
            with suppress(TimeoutError, IllegalStateError):
                position = await asyncio.wait_for(consumer.position(tp), POSITION_SECONDS)
                self._log_ends.look(tp, runner.fence, position or 0)
        else:
            self._log_ends.forget(tp)

    def _end_of(self, tp: TP, runner: Partition[Any]) -> int | None:
        """The end of the partition's log, as the newest fetch knows it."""
        end: int | None = self._consumer().highwater(tp) or runner.end_offset
        return None if end is None else self._log_ends.end(tp, runner.fence, end)

    def status(self, tp: TP, runner: Partition[Any]) -> PartitionStatus:
        """Where one partition stands, for the metrics."""
        progress = getattr(runner.state, "progress", None)
        return PartitionStatus(
            partition=runner.id,
            fence=runner.fence,
            epoch=runner.epoch,
            end_offset=self._end_of(tp, runner),
            accounting=runner.accounting,
            clock_ms=0 if progress is None else progress.arrival,
            unflushed=runner.unflushed,
        )
