"""Waiting for a schema registry that is away: the partition stands still, nothing is lost."""

import asyncio
import logging

from streamwatch.adapters.formats.translator import Translator
from streamwatch.domain.records import Slice
from streamwatch.errors import RegistryError

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


async def prepared(
    translator: Translator, slice_: Slice, retry_seconds: float = RETRY_SECONDS
) -> None:
    """Fetch what reading the slice needs, in a thread; asks again until the registry answers."""
    loop = asyncio.get_running_loop()
    told = False
    while True:
        try:
            await loop.run_in_executor(None, translator.prepare, slice_)
        except RegistryError as error:
            if not told:
                logger.error("%s waits: %s", slice_.topic, error)  # noqa: TRY400  # its text says it all
            told = True
            await asyncio.sleep(retry_seconds)
        else:
            if told:
                logger.warning("the schema registry answers again; %s goes on", slice_.topic)
            return
