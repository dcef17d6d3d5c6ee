"""Python's garbage collection where millions of lasting objects have no cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS_UNTIL_LOOKED = 20_000
"""Objects that Python makes before it looks for cycles among the newest; its default is 700."""


def collect_less_often() -> None:
    """The state of many shops is many objects without cycles: look for those less often."""
    gc.freeze()
    gc.set_threshold(OBJECTS_UNTIL_LOOKED, 20, 20)


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection while millions of lasting objects are made: it finds nothing then.

    Loading takes half as long so. What was made is not looked through again later either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
