"""Putting the parts together: from the configuration to the three steps, ready to run."""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from streamwatch.adapters.master_key import load_master_key
from streamwatch.adapters.own_stages import load_own_stages
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.settings.tap_files import load_taps
from streamwatch.adapters.settings.tap_folder import folder_version
from streamwatch.adapters.stage_bugs import misbehaving
from streamwatch.domain.settings import JudgingSettings, Settings
from streamwatch.domain.source_settings import ShopSettings
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.simulation.stagebug import stage_bugs
from streamwatch.stages.pseudonymise import ShopKeys
from streamwatch.steps.fleet import FleetStep
from streamwatch.steps.judge import JudgeStep
from streamwatch.steps.source import Source
from streamwatch.steps.sources import compile_sources
from streamwatch.taps.live import LiveTaps
from streamwatch.taps.recorder import Recorder


class Assembly(msgspec.Struct, frozen=True):
    """All that a run needs besides the world.

    Attributes:
        sources: source topic → what COUNT runs on it.
        zone_of: shop → its time zone.
        live: the taps that stand now, shared by all sources.
        keys: the shops' keys.
        recorder: the flight recorder.
    """

    settings: Settings
    taps: Sequence[TapSettings]
    sources: Mapping[str, Source]
    judge: JudgeStep
    fleet: FleetStep
    zone_of: Callable[[str], tzinfo]
    live: LiveTaps
    keys: ShopKeys
    recorder: Recorder


def assemble(
    settings_file: Path | None,
    environment: Mapping[str, str],
    labels_file: Path | None = None,
    database: str | None = None,
) -> Assembly:
    """Read and check the whole configuration, and compile it.

    Args:
        settings_file: ``None`` for ``streamwatch.yaml`` in the working folder.
        environment: the process's environment.
        labels_file: a simulation's labels; the stage bugs in it are made to happen.
        database: an address that goes over the configured one.

    Raises:
        ConfigurationError: a file is wrong; nothing is half started.
    """
    settings = load_settings(settings_file, environment)
    if database is not None:
        settings = msgspec.structs.replace(settings, database=database)
    taps = load_taps(Path(settings.taps), settings)
    version = folder_version(Path(settings.taps))
    own = load_own_stages(settings, settings_file)
    keys = ShopKeys(load_master_key(environment, Path()))
    recorder = Recorder(settings.recorder.every, settings.recorder.memory)
    bugs = [] if labels_file is None else stage_bugs(labels_file)
    zone_of = _zones(settings.shops)
    sources = compile_sources(
        settings,
        taps,
        zone_of,
        keys,
        own=own,
        recorder=recorder if settings.recorder.memory else None,
    )
    live = next(iter(sources.values())).taps
    live.current = msgspec.structs.replace(live.current, version=version)
    sources = _translated(sources, settings, environment)
    if bugs:
        sources = {topic: misbehaving(source, bugs) for topic, source in sources.items()}
    return Assembly(
        settings=settings,
        taps=taps,
        sources=sources,
        judge=JudgeStep(settings.judging, zone_of),
        fleet=FleetStep(settings.judging),
        zone_of=zone_of,
        live=live,
        keys=keys,
        recorder=recorder,
    )


def _translated(
    sources: Mapping[str, Source], settings: Settings, environment: Mapping[str, str]
) -> Mapping[str, Source]:
    """The sources, those that are not JSON with what makes JSON of them."""
    forms = [one.format for one in settings.sources]
    forms += [one.format for one in settings.stage_topics]
    if set(forms) <= {"json"}:
        return sources
    # Only now, so that nobody waits for modules that hardly anybody needs.
    from streamwatch.adapters.formats.compile import compile_translators  # noqa: PLC0415

    translators = compile_translators(settings, environment)
    return {
        topic: msgspec.structs.replace(source, translate=translators.get(topic))
        for topic, source in sources.items()
    }


def judged_by(assembly: Assembly, judging: JudgingSettings) -> Assembly:
    """The same parts with a judge and a fleet of other settings."""
    return msgspec.structs.replace(
        assembly,
        settings=msgspec.structs.replace(assembly.settings, judging=judging),
        judge=JudgeStep(judging, assembly.zone_of),
        fleet=FleetStep(judging),
    )


def _zones(shops: Mapping[str, ShopSettings]) -> Callable[[str], tzinfo]:
    default = shops.get("default", ShopSettings())
    zone = cache(ZoneInfo)
    return lambda shop: zone(shops.get(shop, default).timezone)
