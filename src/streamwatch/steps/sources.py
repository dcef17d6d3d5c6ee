"""Compiling the settings into what COUNT runs: every source with its stages."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.settings import Settings, SourceSettings, TapSettings
from streamwatch.stages.declared import compile_declared
from streamwatch.stages.decode import compile_decode
from streamwatch.stages.normalise import Normalise, compile_normalise
from streamwatch.stages.pseudonymise import compile_pseudonymise
from streamwatch.stages.segment import compile_hour_of, compile_segment, segment_labels
from streamwatch.stages.validate import compile_validate
from streamwatch.steps.count import Source
from streamwatch.taps.take import compile_taps

ZoneOf = Callable[[str], tzinfo]
"""The time zone of a shop."""


def compile_sources(
    settings: Settings,
    taps: Sequence[TapSettings],
    zone_of: ZoneOf,
    master_key: bytes,
    around_normalise: Callable[[Normalise], Normalise] = lambda stage: stage,
) -> Mapping[str, Source]:
    """Topic → source.

    Args:
        settings: the configuration.
        taps: the tap points.
        zone_of: the time zone of each shop.
        master_key: from which every shop's pseudonym key is derived.
        around_normalise: wraps the normalise stage; a simulated stage bug comes in here.
    """
    pseudonymise = compile_pseudonymise(master_key)
    normalise = around_normalise(compile_normalise(frozenset(settings.currencies)))
    known = settings.shops.keys() - {"default"} if settings.known_only else None
    hour_of = compile_hour_of(_phases(zone_of))
    sources = {}
    for source in settings.sources:
        event_type = EVENT_TYPES[source.event]
        labels = segment_labels(event_type, settings.segments)
        sources[source.topic] = Source(
            topic=source.topic,
            event_type=event_type,
            decode=compile_decode(source),
            declared=compile_declared(event_type),
            validate=compile_validate(event_type, settings.rules, zone_of, known, source.required),
            normalise=normalise,
            pseudonymise=pseudonymise,
            segment=compile_segment(labels, hour_of),
            labels=labels,
            taps=compile_taps(taps, event_type),
            horizon=settings.horizon,
            future=settings.future,
            hour_of=hour_of,
            shopper_key=_shopper_key(source),
        )
    return sources


def _shopper_key(source: SourceSettings) -> str:
    mapping = source.fields.get("shopper")
    return mapping.path if mapping is not None and mapping.path else "shopper"


def _phases(zone_of: ZoneOf) -> Callable[[str], int]:
    """How far each shop's full hours stand behind UTC's; asked once a shop."""
    phases: dict[str, int] = {}

    def phase_of(shop: str) -> int:
        phase = phases.get(shop)
        if phase is None:
            # Zones shift by whole hours over the year (Lord Howe's half hour excepted).
            offset = zone_of(shop).utcoffset(datetime(2020, 1, 1, tzinfo=UTC)) or timedelta()
            phase = phases[shop] = int(-offset.total_seconds() * 1000) % HOUR_MS
        return phase

    return phase_of
