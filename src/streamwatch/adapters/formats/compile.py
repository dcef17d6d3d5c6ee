"""From the settings to the translators of the sources that are not JSON."""

from collections.abc import Mapping
from pathlib import Path

from streamwatch.adapters.extras import needed
from streamwatch.adapters.formats.avro import compile_avro
from streamwatch.adapters.formats.cloudevents import cloudevent_to_json
from streamwatch.adapters.formats.jsonschema import compile_json_schema
from streamwatch.adapters.formats.protobuf import compile_described, compile_registered
from streamwatch.adapters.formats.registry import Registry, Schema, load_auth
from streamwatch.adapters.formats.translator import Compile, RegistryTranslator, Translator
from streamwatch.adapters.formats.wire import ToJson
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import SourceSettings, StageTopicSettings
from streamwatch.errors import ConfigurationError

REGISTERED: Mapping[str, tuple[str, Compile, str, str]] = {
    "avro": ("AVRO", compile_avro, "fastavro", "avro"),
    "json-schema": ("JSON", compile_json_schema, "jsonschema_rs", "json-schema"),
    "protobuf": ("PROTOBUF", compile_registered, "google.protobuf.message", "protobuf"),
}
"""Format → what a registry calls it, how its schemas are compiled, the module and its extra."""


def compile_translators(
    settings: Settings, environment: Mapping[str, str]
) -> dict[str, Translator]:
    """Topic → translator, for the sources and stage topics that are not JSON.

    Raises:
        ConfigurationError: a schema file is wrong, or a package is not installed.
    """
    registry = None
    if settings.kafka.schema_registry:
        registry = Registry(settings.kafka.schema_registry, load_auth(environment))
    sources: list[SourceSettings | StageTopicSettings] = [*settings.sources]
    sources += settings.stage_topics
    return {one.topic: _translator(one, registry) for one in sources if one.format != "json"}


def _translator(
    source: SourceSettings | StageTopicSettings, registry: Registry | None
) -> Translator:
    if source.format == "cloudevents":
        return Translator(cloudevent_to_json)
    kind, compiled, module, extra = REGISTERED[source.format]
    needed(module, extra)
    if source.schema is not None:
        return Translator(_of_file(source, Path(source.schema)))
    if registry is None:
        raise ConfigurationError(
            f"source {source.topic}: format {source.format} needs kafka.schema_registry, or a file "
            "under `schema`"
        )
    return RegistryTranslator(kind, compiled, registry)


def _of_file(source: SourceSettings | StageTopicSettings, file: Path) -> ToJson:
    where = f"{file}:1"
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{where}: the schema of source {source.topic} cannot be read: {error.strerror}"
        ) from error
    if source.format == "protobuf":
        return compile_described(content, source.message, where)
    try:
        schema = Schema(source.format, content.decode())
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{where}: is no text in UTF-8") from error
    compiled = REGISTERED[source.format][1]
    return compiled(schema, where)
