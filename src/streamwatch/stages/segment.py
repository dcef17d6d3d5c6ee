"""segment: which bucket a record falls in, and which cuts of the shop it belongs to."""

from collections.abc import Callable

from streamwatch.domain.cells import ALL, HOUR_MS
from streamwatch.domain.events import Event, EventType
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.remembered import Remembered
from streamwatch.stages.underway import Stage, Underway

HourOf = Callable[[str, int], int]
"""From a shop and a moment to the start of its hour in the shop's zone; milliseconds."""


def segment_labels(event_type: EventType, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The segmenting labels that this event type has."""
    return tuple(name for name in wanted if name in event_type.labels)


def segments_of(event: Event, labels: tuple[str, ...]) -> str:
    """The segments that an event belongs to, as text; without a value it is in none of a label.

    >>> from streamwatch.domain.events import WidgetEvent
    >>> segments_of(WidgetEvent("a", "s", gender="female"), ("gender", "category"))
    'all,gender=female'
    """
    named = [f"{name}={value}" for name in labels if (value := getattr(event, name))]
    return ",".join([ALL, *named])


def compile_hour_of(phase_of: Callable[[str], int]) -> HourOf:
    """The hours of every shop.

    ``phase_of(shop)`` is how far the shop's full hours stand behind UTC's, in milliseconds:
    0 for most zones, 1,800,000 for India's. It is asked once for each shop.

    >>> compile_hour_of(lambda shop: 1_800_000)("mumbai", 7_300_000)
    5400000
    """
    phases = Remembered(phase_of)

    def hour_of(shop: str, moment: int) -> int:
        return moment - (moment - phases[shop]) % HOUR_MS

    return hour_of


def compile_segment(hour_of: HourOf, horizon: int) -> Stage:
    """The segment stage of one source; it writes `Underway.hour`.

    It refuses what is more than ``horizon`` milliseconds older than the shop's newest hour.

    >>> from streamwatch.domain.events import WidgetEvent
    >>> segment = compile_segment(compile_hour_of(lambda shop: 0), 0)
    >>> record = Underway({}).set_out(WidgetEvent("a", "s"), (), 0)
    >>> record.occurred = 7_300_000
    >>> segment(record), record.hour
    (None, 7200000)
    """

    def segment(record: Underway) -> Refusal | None:
        occurred, shop = record.occurred, record.event.shop
        if occurred is None or occurred < record.newest.get(shop, 0) - horizon:
            return Refusal("reject", "segment", "too-late", "time")
        record.hour = hour_of(shop, occurred)
        return None

    return segment
