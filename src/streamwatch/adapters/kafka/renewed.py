"""Topics that were deleted and made anew while they were read."""

import asyncio
from typing import Any

from faust.types import TP
from mode.utils.logging import get_logger

from streamwatch.adapters.kafka.owned import OwnedPartitions
from streamwatch.adapters.kafka.topics import topic_ids
from streamwatch.domain.settings import KafkaSettings
from streamwatch.errors import BrokerError

logger = get_logger(__name__)


async def reload_renewed(
    owned: OwnedPartitions, kafka: KafkaSettings, consumer: Any
) -> dict[TP, int]:
    """Load partitions anew whose topic is another one now.

    Args:
        owned: the partitions of this worker.
        kafka: how the broker is asked for the topics' ids.
        consumer: Faust's; it is asked where the topics begin.

    Returns:
        Where each of them has to be read from.
    """
    topics = {tp.topic for tp, runner in owned.items() if runner.topic_id}
    loop = asyncio.get_running_loop()
    try:
        ids = await loop.run_in_executor(None, topic_ids, kafka, topics)
    except BrokerError:
        return {}  # what uses the broker tells so; here it is asked again soon
    seeks = {}
    for tp, runner in owned.items():
        topic_id = ids.get(tp.topic, runner.topic_id)
        if runner.topic_id and topic_id != runner.topic_id:
            logger.warning("%s was deleted and made anew; it is read from its start", tp.topic)
            earliest = await consumer.earliest_offsets(tp)
            await owned.reload(tp, topic_id, min(earliest.values(), default=0))
            seeks[tp] = owned.fence(tp) or 0
    return seeks
