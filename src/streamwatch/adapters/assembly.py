"""Putting the parts together: from the configuration to the three steps, ready to run."""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from streamwatch.adapters.master_key import load_master_key
from streamwatch.adapters.settings import load_settings
from streamwatch.adapters.tap_files import load_taps
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.settings import Settings, ShopSettings, TapSettings
from streamwatch.simulation.stagebug import StageBug, misbehave, stage_bugs
from streamwatch.stages.normalise import Normalise, Normalised
from streamwatch.stages.validate import Validated
from streamwatch.steps.count import Source
from streamwatch.steps.fleet import FleetStep
from streamwatch.steps.judge import JudgeStep
from streamwatch.steps.sources import compile_sources


class Assembly(msgspec.Struct, frozen=True):
    """All that a run needs besides the world.

    Attributes:
        sources: source topic → what COUNT runs on it.
    """

    settings: Settings
    taps: Sequence[TapSettings]
    sources: Mapping[str, Source]
    judge: JudgeStep
    fleet: FleetStep


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
    bugs = [] if labels_file is None else stage_bugs(labels_file)
    zone_of = _zones(settings.shops)
    sources = compile_sources(
        settings,
        taps,
        zone_of,
        load_master_key(environment, Path()),
        around_normalise=_broken(bugs) if bugs else lambda stage: stage,
    )
    return Assembly(
        settings=settings,
        taps=taps,
        sources=sources,
        judge=JudgeStep(settings.judging, zone_of),
        fleet=FleetStep(settings.judging),
    )


def _zones(shops: Mapping[str, ShopSettings]) -> Callable[[str], tzinfo]:
    default = shops.get("default", ShopSettings())
    zone = cache(ZoneInfo)
    return lambda shop: zone(shops.get(shop, default).timezone)


def _broken(bugs: Sequence[StageBug]) -> Callable[[Normalise], Normalise]:
    """Makes the normalise stage misbehave, as the labels of a simulation say."""

    def wrap(normalise: Normalise) -> Normalise:
        def broken(valid: Validated) -> Normalised | Refusal:
            result = normalise(valid)
            if isinstance(result, Refusal):
                return result
            event = misbehave(bugs, result.event, result.occurred)
            return msgspec.structs.replace(result, event=event)

        return broken

    return wrap
