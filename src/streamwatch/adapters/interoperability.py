"""Traces and lineage around a worker's steps and store, when the settings ask for them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from streamwatch.domain.settings import Settings
from streamwatch.runner.ports import Store
from streamwatch.steps.step import Step

Around = Callable[[Step[Any]], Step[Any]]
"""What is put around each partition's step."""


@contextmanager
def interoperable(settings: Settings, store: Store) -> Iterator[tuple[Store, Around]]:
    """The store and what goes around steps, until the end; then what waits is sent.

    Raises:
        ConfigurationError: an extra is not installed.
    """
    around: Around = lambda step: step  # noqa: E731
    with ExitStack() as ending:
        if settings.tracing.endpoint:
            # Only now, so that nobody waits for modules that hardly anybody needs.
            from streamwatch.adapters.tracing.traced import TracedStep  # noqa: PLC0415
            from streamwatch.adapters.tracing.tracer import (  # noqa: PLC0415
                make_provider,
                tracer_of,
            )

            provider = make_provider(settings.tracing)
            ending.callback(provider.shutdown)
            tracer = tracer_of(provider)
            around = lambda step: cast("Step[Any]", TracedStep(step, tracer))  # noqa: E731
        if settings.lineage.to:
            from streamwatch.adapters.openlineage.emitting import (  # noqa: PLC0415
                Lineage,
                LineageStore,
                make_transport,
            )

            lineage = Lineage(settings, make_transport(settings.lineage.to))
            ending.callback(lineage.stop)
            store = cast("Store", LineageStore(store, lineage))
        yield store, around
