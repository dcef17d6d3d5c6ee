"""Whether the user's own stages and those in other services make sense."""

import re
from collections.abc import Iterator

from streamwatch.adapters.settings.sources_checks import check_sources
from streamwatch.domain.findings import Finding, Path, did_you_mean
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import SourceSettings, StageTopicSettings
from streamwatch.domain.stageorder import OWN_AFTER, stages_of

RESERVED = frozenset({"journey", "daily", "other"})
"""Names that views and tables of days have."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_STEP = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def check_stages(settings: Settings) -> Iterator[Finding]:
    """What cannot work about `stages` and `stage_topics`; nothing is imported."""
    taken: dict[str, str] = {stage: stage for stage in STAGES}
    own = [stage.name for stage in settings.stages]
    for position, stage in enumerate(settings.stages):
        path: Path = ("stages", position)
        yield from _check_name(stage.name, taken, path)
        if not _STEP.fullmatch(stage.step):
            text = f"step `{stage.step}` must be `module:function`, such as mymodule:correct"
            yield Finding((*path, "step"), text)
        earlier = (*OWN_AFTER, *own[:position])
        if stage.after not in earlier:
            text = f"an own stage cannot follow `{stage.after}`{did_you_mean(stage.after, earlier)}"
            yield Finding((*path, "after"), text)
    topics = {source.topic for source in settings.sources}
    for position, topic in enumerate(settings.stage_topics):
        path = ("stage_topics", position)
        yield from _check_name(topic.name, taken, path)
        if topic.topic in topics:
            text = f"topic `{topic.topic}` stands twice; each topic is one source or one stage"
            yield Finding((*path, "topic"), text)
        topics.add(topic.topic)
        order = [
            *stages_of(settings, topic.event),
            *(one.name for one in settings.stage_topics[:position] if one.event == topic.event),
        ]
        if topic.after not in order:
            text = f"no stage is called `{topic.after}`{did_you_mean(topic.after, order)}"
            yield Finding((*path, "after"), text)
        yield from _check_fields(topic, settings, path)


def _check_name(name: str, taken: dict[str, str], path: Path) -> Iterator[Finding]:
    plain = name.replace("-", "_")
    if not _NAME.fullmatch(name):
        text = f"stage name `{name}`: small letters, digits, dashes and underscores, at most 30"
        yield Finding((*path, "name"), text)
    elif plain in RESERVED or "_to_" in plain or plain.rpartition("_")[2].isdigit():
        text = f"stage name `{name}` would be taken for a view or a day of a table; choose another"
        yield Finding((*path, "name"), text)
    elif plain in taken:
        yield Finding((*path, "name"), f"stage `{name}` is there already as `{taken[plain]}`")
    taken.setdefault(plain, name)


def _check_fields(topic: StageTopicSettings, settings: Settings, path: Path) -> Iterator[Finding]:
    source = SourceSettings(
        topic.topic,
        topic.event,
        topic.types,
        topic.fields,
        format=topic.format,
        schema=topic.schema,
        message=topic.message,
    )
    for finding in check_sources((source,), settings.kafka.prefix):
        yield Finding((*path, *finding.path[2:]), finding.text)
