"""The end of a worker that cannot go on: at once, before anything is acknowledged."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

from aiokafka.errors import IllegalStateError  # type: ignore[import-untyped]
from mode.utils.logging import get_logger

from streamwatch.errors import StreamwatchError

logger = get_logger(__name__)

FATAL_EXIT = 70
"""Exit code when a step raised: a bug, or a state that cannot be read."""

_Answer = TypeVar("_Answer")


async def guarded(call: Callable[..., Awaitable[_Answer]], *arguments: object) -> _Answer:
    """Run what must not fail silently: Faust acknowledges the slice of an agent that raises.

    What a rebalance causes is raised on, for Faust begins again then.
    """
    try:
        return await call(*arguments)
    except (asyncio.CancelledError, IllegalStateError):
        raise
    except StreamwatchError as error:
        logger.critical("the worker stops: %s", error)
        end()
    except Exception:
        logger.critical("the worker stops before it acknowledges", exc_info=True)
        end()


def end() -> NoReturn:
    """End this process now."""
    os._exit(FATAL_EXIT)
