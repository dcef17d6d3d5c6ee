"""The taps that stand now; a running worker exchanges all of them at once, between two slices."""

from collections.abc import Mapping

import msgspec

from streamwatch.taps.compiled import Tap

ByStage = Mapping[str, tuple[Tap, ...]]
NOTHING: ByStage = {}


class TapSet(msgspec.Struct, frozen=True):
    """All taps, ready to take records.

    Attributes:
        by_event: event type → stage → taps.
        held: names of the taps whose rows are never shed.
        version: names the files that it was made of; empty for none.
    """

    by_event: Mapping[str, ByStage] = {}
    held: frozenset[str] = frozenset()
    version: str = ""


class LiveTaps:
    """Holds the taps that stand now.

    Attributes:
        current: replaced as a whole; who reads it once for a slice has one set for all of it.
    """

    __slots__ = ("current",)

    def __init__(self, current: TapSet | None = None) -> None:
        self.current = current or TapSet()

    def of(self, event: str) -> ByStage:
        """The taps of an event type by stage, now."""
        return self.current.by_event.get(event, NOTHING)
