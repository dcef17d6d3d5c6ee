"""One input topic, with its stages compiled from the settings."""

from collections.abc import Callable
from datetime import UTC, tzinfo

import msgspec

from streamwatch.domain.events import EventType, Received
from streamwatch.domain.records import Slice
from streamwatch.stages.abreast import Abreast
from streamwatch.stages.columns import POINTS
from streamwatch.stages.declared import Numbers
from streamwatch.stages.decode import Decode
from streamwatch.stages.segment import HourOf
from streamwatch.stages.underway import NamedStage
from streamwatch.taps.live import LiveTaps
from streamwatch.taps.recorder import Recorder


class Source(msgspec.Struct, frozen=True):
    """One input topic with its compiled stages.

    Attributes:
        decode: from a record's bytes to an event.
        declared: reads the numbers that a record declares, in canonical units.
        stages: those between `decode` and `aggregate`, in their order, the user's own among them.
        labels: the labels that cut a shop into segments.
        taps: all taps, as they stand now.
        horizon, future: see `domain.settings.Settings`.
        hour_of: the start of a shop's hour.
        shopper_key: the top-level key under which the client's JSON names the shopper.
        points: the stages after which statistics are kept.
        recorder: the flight recorder, if there is one.
        stage: the stage whose results the topic holds, if another service writes it.
        zone_of: the time zone of a shop.
        abreast: the stages for many records at once, where they have such a way.
        translate: makes JSON of another format's values; what it cannot read is `Unreadable`.
    """

    topic: str
    event_type: EventType
    decode: Decode
    declared: Callable[[Received], Numbers]
    stages: tuple[NamedStage, ...]
    labels: tuple[str, ...]
    taps: LiveTaps
    horizon: int
    future: int
    hour_of: HourOf
    shopper_key: str = "shopper"
    points: tuple[str, ...] = POINTS
    recorder: Recorder | None = None
    stage: str = ""
    zone_of: Callable[[str], tzinfo] = lambda shop: UTC  # noqa: ARG005  # only stage topics ask
    abreast: Abreast | None = None
    translate: Callable[[Slice], Slice] | None = None
