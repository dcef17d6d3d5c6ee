"""The worker: one Faust app whose agents carry COUNT, JUDGE and FLEET on the runner."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
from faust.types import TP, StreamT
from mode.utils.logging import get_logger

from streamwatch.adapters.formats.translator import Translator
from streamwatch.adapters.formats.waiting import prepared
from streamwatch.adapters.interoperability import Around
from streamwatch.adapters.kafka.driver import SliceConsumer
from streamwatch.adapters.kafka.ending import guarded
from streamwatch.adapters.kafka.exported import deadlines
from streamwatch.adapters.kafka.owned import OwnedPartitions, Reach, reach_nothing
from streamwatch.adapters.kafka.positions import Positions
from streamwatch.adapters.kafka.renewed import reload_renewed
from streamwatch.adapters.kafka.sliceapp import AS_IT_IS, slice_app
from streamwatch.adapters.kafka.topics import topic_ids
from streamwatch.adapters.kafka.watchdog import Watchdog
from streamwatch.adapters.prometheus.collector import WorkerMetrics
from streamwatch.adapters.webhook import Webhook
from streamwatch.domain.messages import READINGS_TOPIC, Message, prefixed
from streamwatch.domain.records import Slice
from streamwatch.domain.settings import Settings
from streamwatch.runner.partition import URGENT_MS
from streamwatch.runner.ports import Clock, Store
from streamwatch.steps.source import Source
from streamwatch.steps.stagetopic import step_of
from streamwatch.steps.step import Step

logger = get_logger(__name__)

INSPECT_SECONDS = 1.0
"""Pause between two looks at the tap folder, the salts and the open incidents."""

TOPICS_SECONDS = 10.0
"""Pause between two looks whether a topic was deleted and made anew."""

BEAT_SECONDS = 0.5
"""How often the event loop tells the watchdog that it turns."""

DEADLINES_EVERY_MS = 15_000
"""How often it is told by when shops must send."""


_encode = msgspec.msgpack.Encoder().encode


class Worker:
    """One worker process; N of them share the partitions.

    Args:
        settings: the configuration.
        sources: source topic → what COUNT runs on it.
        inner: internal topic → the step that reads it.
        judges: partitions of the readings topic; each gets every heartbeat.
        store: the database.
        clock: the wall clock.
        metrics: what is told at ``/metrics``.
        webhook: who posts incidents; ``None`` posts none.
        inspect: looks for new taps, exchanged salts and new incidents; called regularly in
            the thread that talks to the database.
        reach: told which point of a flush was reached.
        around: what is put around each partition's step.

    Attributes:
        app: the Faust app, to be run by a `faust.Worker`.
        owned: the partitions of this worker.
        watchdog: whether the worker moves.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Mapping[str, Source],
        inner: Mapping[str, Step[Any]],
        judges: int,
        store: Store,
        clock: Clock,
        metrics: WorkerMetrics,
        webhook: Webhook | None = None,
        inspect: Callable[[], None] | None = None,
        reach: Reach = reach_nothing,
        around: Around = lambda step: step,
    ) -> None:
        self._inspect = inspect
        self._around = around
        self.watchdog = Watchdog(settings.stuck_after / 1000)
        self._webhook = webhook
        self._deadlines_told_ms = 0
        self._settings = settings
        self._sources = sources
        self._prefix = settings.kafka.prefix
        self._inner = {prefixed(topic, self._prefix): step for topic, step in inner.items()}
        self._judges = judges
        self._clock = clock
        self.owned = OwnedPartitions(
            store=store,
            step_of=self._step_of,
            publish=self._publish,
            topic_ids=lambda topics: topic_ids(settings.kafka, topics),
            clock=clock,
            flush=settings.flush,
            metrics=metrics,
            taps=next(iter(sources.values())).taps if sources else None,
            watchdog=self.watchdog,
            reach=reach,
        )
        self._metrics = metrics
        self.app = slice_app(settings.kafka, self.owned)
        self._positions = Positions(self.owned, sources, self._consumer, clock)
        self._equip()

    def _equip(self) -> None:
        """Put the agents and the regular tasks into the app."""
        app = self.app
        for topic in (*self._sources, *self._inner):
            app.agent(
                app.topic(topic, value_serializer=AS_IT_IS, key_serializer="raw"),
                name=f"streamwatch.{topic}",
                concurrency=1,
            )(self._agent)
        app.task(self._beat)
        app.task(self._flush_regularly)
        app.task(self._tell_regularly)
        app.task(self._inspect_regularly)
        app.task(self._look_for_new_topics)
        app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        app.on_before_shutdown.connect(self._on_shutdown, weak=False)

    def _consumer(self) -> SliceConsumer:
        return cast("SliceConsumer", self.app.consumer)

    def _step_of(self, topic: str, partition: int) -> Step[Any]:
        source = self._sources.get(topic)
        found = self._inner[topic] if source is None else step_of(source, partition)
        return self._around(found)

    async def _agent(self, stream: StreamT[Slice]) -> None:
        """Take slices in, one after the other; nothing that is raised may be passed over."""
        async for event in stream.events():
            await guarded(self._take, event.value)

    async def _take(self, slice_: Slice) -> None:
        translate = self._sources[slice_.topic].translate if slice_.topic in self._sources else None
        if isinstance(translate, Translator):
            await prepared(translate, slice_)
        seek_to = await self.owned.take(slice_)
        if seek_to is not None:
            await self._seek({TP(slice_.topic, slice_.partition): seek_to})

    async def _beat(self) -> None:
        while not self.app.should_stop:
            self.watchdog.turned()
            await self.app.sleep(BEAT_SECONDS)

    async def _look_for_new_topics(self) -> None:
        while not self.app.should_stop:
            await guarded(self._restart_new_topics)
            await self.app.sleep(TOPICS_SECONDS)

    async def _restart_new_topics(self) -> None:
        kafka, consumer = self._settings.kafka, self.app.consumer
        await self._seek(await reload_renewed(self.owned, kafka, consumer))

    async def _flush_regularly(self) -> None:
        while not self.app.should_stop:
            await guarded(self._flush_due)
            await self.app.sleep(min(URGENT_MS, self._settings.flush.interval) / 1000)

    async def _flush_due(self) -> None:
        await self._seek(await self.owned.flush_due())

    async def _tell_regularly(self) -> None:
        while not self.app.should_stop:
            await guarded(self._tell)
            await self.app.sleep(self._settings.flush.interval / 1000)

    async def _inspect_regularly(self) -> None:
        while self._inspect is not None and not self.app.should_stop:
            await guarded(self._look, self._inspect)
            await self.app.sleep(INSPECT_SECONDS)

    async def _look(self, inspect: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self.owned.database.thread, inspect)

    async def _tell(self) -> None:
        """The heartbeats to the judges, and to the metrics where the partitions stand."""
        beats = await self._positions.heartbeats()
        self._metrics.observed(
            [self._positions.status(tp, runner) for tp, runner in self.owned.items()]
        )
        await self._publish(
            [
                Message(READINGS_TOPIC, None, _encode(beat), partition)
                for partition in range(self._judges)
                for beat in beats.values()
            ]
        )
        self._metrics.heartbeat(self._clock.now_ms())
        self._tell_deadlines()
        waiting = self._consumer().waiting()
        self._metrics.waiting({tp.topic: waiting[tp.topic] for tp, _ in self.owned.items()})

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        """Write what is in memory, let the commits follow, and forget the partitions."""
        await guarded(self._flush_and_drop)

    async def _on_shutdown(self, *_: Any, **__: Any) -> None:
        await guarded(self._flush_and_drop)

    async def _flush_and_drop(self) -> None:
        await self.owned.flush()
        await self.app.consumer.commit()
        self.owned.drop()
        if self._webhook is not None:
            self._webhook.clear()

    async def _seek(self, seeks: Mapping[TP, int]) -> None:
        consumer = self._consumer()
        for tp, offset in seeks.items():
            if tp in consumer.assignment():
                await consumer.seek_back(tp, offset)

    async def _publish(self, messages: Sequence[Message]) -> None:
        """Publish messages and wait until the broker has them all."""
        producer = self.app.producer
        sent = [
            await producer.send(
                prefixed(one.topic, self._prefix),
                key=one.key,
                value=one.value,
                partition=one.partition,
                timestamp=None if one.timestamp is None else one.timestamp / 1000,
                headers=list(one.headers),
            )
            for one in messages
        ]
        await asyncio.gather(*sent)
        if self._webhook is not None:
            self._webhook.offer(messages)

    def _tell_deadlines(self) -> None:
        """By when each shop must send; told now and then, since it takes all shops."""
        now = self._clock.now_ms()
        if now - self._deadlines_told_ms >= DEADLINES_EVERY_MS:
            self._deadlines_told_ms = now
            found = [deadlines(runner) for _, runner in self.owned.items()]
            self._metrics.expected({key: due for one in found for key, due in one.items()})
