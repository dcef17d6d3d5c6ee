"""JSON that keeps a JSON Schema, with the extra ``json-schema``."""

import json
from typing import Any

from streamwatch.adapters.extras import needed
from streamwatch.adapters.formats.registry import Schema
from streamwatch.adapters.formats.wire import HEADER_BYTES, MAGIC, NotReadable, ToJson
from streamwatch.errors import ConfigurationError


def compile_json_schema(schema: Schema, where: str) -> ToJson:
    """The function that passes on what keeps the schema.

    A field that a newer schema added or removed is no concern: each record is held to its own.
    References are looked up among the schema's own, never over the network.

    Args:
        schema: of the registry or of a file.
        where: its file or number, for messages.

    Raises:
        ConfigurationError: jsonschema-rs is not installed, or this is no JSON Schema.
    """
    library = needed("jsonschema_rs", "json-schema")
    texts = schema.references

    def retrieve(uri: str) -> Any:
        name = next((name for name in texts if uri.endswith(name)), None)
        if name is None:
            raise KeyError(uri)
        return json.loads(texts[name])

    try:
        validator = library.validator_for(json.loads(schema.text), retriever=retrieve)
    except Exception as error:
        raise ConfigurationError(f"{where}: is no JSON Schema: {error}") from error

    def to_json(payload: bytes, _: Any) -> bytes:
        # With a schema file, what is framed for a registry: no JSON begins with a zero.
        payload = payload[HEADER_BYTES:] if payload[:1] == MAGIC else payload
        try:
            found = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise NotReadable("undecodable") from error
        if not validator.is_valid(found):
            raise NotReadable("breaks-schema")
        return payload

    return to_json
