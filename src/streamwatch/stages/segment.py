"""segment: which bucket a record falls in, and which cuts of the shop it belongs to."""

from collections.abc import Callable
from operator import attrgetter

import msgspec

from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.events import Event, EventType
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.pseudonymise import Pseudonymised


class Segmented(msgspec.Struct, frozen=True, gc=False):
    """A record with its place.

    Attributes:
        event, pseudonym, occurred, marks: as in `Pseudonymised`.
        hour: start of its hour in the shop's zone, milliseconds since 1970 UTC.
        cuts: its value of each segmenting label, in the configured order; ``None`` if it
            has none, and then it belongs to no segment of that label.
    """

    event: Event
    pseudonym: str | None
    occurred: int
    marks: tuple[str, ...]
    hour: int
    cuts: tuple[str | None, ...]

    def segments(self, labels: tuple[str, ...]) -> str:
        """The segments as text: ``all,gender=female``."""
        named = [f"{name}={cut}" for name, cut in zip(labels, self.cuts, strict=True) if cut]
        return ",".join(["all", *named])


Segment = Callable[[Pseudonymised, int], Segmented | Refusal]
"""From the record and the oldest time that may still be counted, in milliseconds."""

HourOf = Callable[[str, int], int]
"""From a shop and a moment to the start of its hour in the shop's zone; milliseconds."""


def segment_labels(event_type: EventType, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The segmenting labels that this event type has."""
    return tuple(name for name in wanted if name in event_type.labels)


def compile_hour_of(phase_of: Callable[[str], int]) -> HourOf:
    """The hours of every shop.

    ``phase_of(shop)`` is how far the shop's full hours stand behind UTC's, in milliseconds:
    0 for most zones, 1,800,000 for India's.

    >>> compile_hour_of(lambda shop: 1_800_000)("mumbai", 7_300_000)
    5400000
    """

    def hour_of(shop: str, moment: int) -> int:
        return moment - (moment - phase_of(shop)) % HOUR_MS

    return hour_of


def compile_segment(labels: tuple[str, ...], hour_of: HourOf) -> Segment:
    """The segment stage of one source.

    >>> from streamwatch.domain.events import WidgetEvent
    >>> segment = compile_segment(("gender",), compile_hour_of(lambda shop: 0))
    >>> event = WidgetEvent("a", "s", gender="female")
    >>> segment(Pseudonymised(event, None, 7_300_000, ()), 0).hour
    7200000
    """
    cuts_of: Callable[[Event], tuple[str | None, ...]]
    if len(labels) > 1:
        cuts_of = attrgetter(*labels)
    elif labels:
        only = attrgetter(labels[0])

        def cuts_of(event: Event) -> tuple[str | None, ...]:
            return (only(event),)
    else:

        def cuts_of(event: Event) -> tuple[str | None, ...]:  # noqa: ARG001
            return ()

    def segment(record: Pseudonymised, oldest: int) -> Segmented | Refusal:
        occurred, event = record.occurred, record.event
        if occurred < oldest:
            return Refusal("reject", "segment", "too-late", "time")
        hour = hour_of(event.shop, occurred)
        return Segmented(event, record.pseudonym, occurred, record.marks, hour, cuts_of(event))

    return segment
