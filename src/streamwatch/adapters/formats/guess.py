"""Which format the records of a topic are written in, told from some of them."""

from collections.abc import Sequence

from streamwatch.adapters.formats.cloudevents import cloudevent_to_json, is_cloudevent
from streamwatch.adapters.formats.compile import REGISTERED
from streamwatch.adapters.formats.registry import Registry, UnknownSchemaError
from streamwatch.adapters.formats.translator import RegistryTranslator, Translator
from streamwatch.adapters.formats.wire import HEADER_BYTES, MAGIC
from streamwatch.domain.records import FileRecord, Slice, Unreadable
from streamwatch.errors import ConfigurationError


def guessed(
    records: Sequence[FileRecord], registry_url: str, auth: str = ""
) -> tuple[str, list[bytes]]:
    """The format, and the records' values as JSON; those that cannot be read are left out.

    Raises:
        ConfigurationError: the records name schemas, and no registry was named.
        RegistryError: the registry does not answer.
    """
    given = [record for record in records if record.value]
    headed = sum((record.value or b"")[:1] == MAGIC for record in given)
    if headed > len(given) / 2:
        if not registry_url:
            raise ConfigurationError(
                "the records name schemas of a registry: add --registry http://HOST:8081"
            )
        return _registered(given, Registry(registry_url, auth))
    if sum(is_cloudevent(record.headers) for record in given) > len(given) / 2:
        return "cloudevents", _read(given, Translator(cloudevent_to_json))
    return "json", [record.value for record in given if record.value]


def _registered(records: Sequence[FileRecord], registry: Registry) -> tuple[str, list[bytes]]:
    value = next(record.value for record in records if record.value and record.value[:1] == MAGIC)
    try:
        kind = registry.schema(int.from_bytes(value[1:HEADER_BYTES])).kind
    except UnknownSchemaError:
        kind = ""
    for form, (name, compiled, _, _) in REGISTERED.items():
        if name == kind:
            return form, _read(records, RegistryTranslator(kind, compiled, registry))
    raise ConfigurationError(f"the registry does not know the schema of the records ({kind})")


def _read(records: Sequence[FileRecord], translator: Translator) -> list[bytes]:
    read = translator(Slice("", 0, records)).records
    return [one.value for one in read if one.value and not isinstance(one.value, Unreadable)]
