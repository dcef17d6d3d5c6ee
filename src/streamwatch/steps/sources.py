"""Compiling the settings into what COUNT runs: every source with its stages."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import msgspec

from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import SourceSettings, StageTopicSettings
from streamwatch.domain.stageorder import all_stages, stages_of
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.stages.abreast import Abreast
from streamwatch.stages.columns import POINTS
from streamwatch.stages.custom import Step, compile_own
from streamwatch.stages.declared import compile_declared
from streamwatch.stages.decode import compile_decode, typed_read
from streamwatch.stages.normalise import compile_normalise
from streamwatch.stages.pseudonymise import ShopKeys, compile_pseudonymise
from streamwatch.stages.segment import compile_hour_of, compile_segment, segment_labels
from streamwatch.stages.underway import NamedStage, Stage
from streamwatch.stages.validate import compile_checks, compile_validate
from streamwatch.steps.source import Source
from streamwatch.taps.compiled import TextHash, compile_taps
from streamwatch.taps.live import LiveTaps, TapSet
from streamwatch.taps.recorder import Recorder

ZoneOf = Callable[[str], tzinfo]
"""The time zone of a shop."""


def compile_sources(
    settings: Settings,
    taps: Sequence[TapSettings],
    zone_of: ZoneOf,
    master_key: bytes | ShopKeys,
    own: Mapping[str, Step] = {},
    recorder: Recorder | None = None,
) -> Mapping[str, Source]:
    """Topic → source.

    Args:
        settings: the configuration.
        taps: the tap points.
        zone_of: the time zone of each shop.
        master_key: from which every shop's pseudonym key is derived, or the keys themselves.
        own: the user's own stages: name → function.
        recorder: the flight recorder, if there is one.
    """
    keys = ShopKeys(master_key) if isinstance(master_key, bytes) else master_key
    live = LiveTaps(compile_tap_set(settings, taps, keys.column))
    pseudonymise = compile_pseudonymise(keys)
    known = settings.shops.keys() - {"default"} if settings.known_only else None
    hour_of = compile_hour_of(_phases(zone_of))
    sources = {}
    for source in settings.sources:
        event_type = EVENT_TYPES[source.event]
        checks = compile_checks(event_type, settings.rules, zone_of, known, source.required)
        built_in = {
            "validate": compile_validate(event_type, checks),
            "normalise": compile_normalise(event_type, frozenset(settings.currencies)),
            "pseudonymise": pseudonymise,
            "segment": compile_segment(hour_of, settings.horizon),
        }
        stages = _with_own(built_in, settings, event_type, own)
        decode, declared = compile_decode(source), compile_declared(event_type)
        sources[source.topic] = Source(
            topic=source.topic,
            event_type=event_type,
            decode=decode,
            declared=declared,
            stages=stages,
            labels=segment_labels(event_type, settings.segments),
            taps=live,
            horizon=settings.horizon,
            future=settings.future,
            hour_of=hour_of,
            shopper_key=_shopper_key(source),
            points=points_of(settings, source.event),
            recorder=recorder,
            abreast=Abreast(
                event_type, stages, decode, typed_read(source), declared, checks, hour_of
            )
            if len(stages) == len(built_in)
            else None,
        )
    for topic in settings.stage_topics:
        sources[topic.topic] = _stage_source(topic, _any_source(sources, topic), zone_of)
    return sources


def _stage_source(topic: StageTopicSettings, like: Source, zone_of: ZoneOf) -> Source:
    """The topic of a stage in another service; what it shares with our sources is as in one."""
    as_source = _as_source(topic)
    return msgspec.structs.replace(
        like,
        topic=topic.topic,
        event_type=EVENT_TYPES[topic.event],
        decode=compile_decode(as_source),
        declared=compile_declared(EVENT_TYPES[topic.event]),
        stages=(),
        abreast=None,
        labels=(),
        shopper_key=_shopper_key(as_source),
        points=(topic.name,),
        stage=topic.name,
        recorder=None,
        zone_of=zone_of,
    )


def compile_tap_set(
    settings: Settings, taps: Sequence[TapSettings], hash_text: TextHash, version: str = ""
) -> TapSet:
    """All taps of a folder, ready to be put in the place of others.

    Args:
        settings: the configuration.
        taps: of all event types.
        hash_text: hashes the columns that are to be hashed.
        version: names the files that they were read from.
    """
    return TapSet(
        by_event={
            name: compile_taps(taps, event_type, hash_text, all_stages(settings, name))
            for name, event_type in EVENT_TYPES.items()
        },
        held=frozenset(tap.name for tap in taps if tap.on_slow == "hold"),
        version=version,
    )


def points_of(settings: Settings, event: str) -> tuple[str, ...]:
    """The stages of an event type after which statistics are kept: the user's own among them."""
    own = {stage.name for stage in settings.stages}
    return tuple(name for name in stages_of(settings, event) if name in POINTS or name in own)


def _with_own(
    built_in: Mapping[str, Stage],
    settings: Settings,
    event_type: EventType,
    own: Mapping[str, Step],
) -> tuple[NamedStage, ...]:
    """The stages behind `decode` in their order, the user's own among them."""
    order = stages_of(settings, event_type.name)
    normalise = order.index("normalise")
    stages: list[NamedStage] = []
    for place, name in enumerate(order):
        if name in built_in:
            stages.append((name, built_in[name]))
        elif name in own:
            stage = compile_own(name, own[name], event_type, as_sent=place < normalise)
            stages.append((name, stage))
    return tuple(stages)


def _as_source(topic: StageTopicSettings) -> SourceSettings:
    return SourceSettings(
        topic.topic, topic.event, types=topic.types, fields=topic.fields, format=topic.format
    )


def _any_source(sources: Mapping[str, Source], topic: StageTopicSettings) -> Source:
    """A source to take the rest from: of the same event type, if there is one."""
    same = [one for one in sources.values() if one.event_type.name == topic.event]
    return (same or list(sources.values()))[0]


def _shopper_key(source: SourceSettings) -> str:
    mapping = source.fields.get("shopper")
    return mapping.path if mapping is not None and mapping.path else "shopper"


def _phases(zone_of: ZoneOf) -> Callable[[str], int]:
    """How far each shop's full hours stand behind UTC's."""

    def phase_of(shop: str) -> int:
        # Zones shift by whole hours over the year (Lord Howe's half hour excepted).
        offset = zone_of(shop).utcoffset(datetime(2020, 1, 1, tzinfo=UTC)) or timedelta()
        return int(-offset.total_seconds() * 1000) % HOUR_MS

    return phase_of
