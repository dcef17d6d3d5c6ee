"""Avro, with the extra ``avro``: each payload is read with the schema that wrote it."""

import io
import json
from collections.abc import Mapping
from typing import Any

from streamwatch.adapters.extras import needed
from streamwatch.adapters.formats.registry import Schema
from streamwatch.adapters.formats.wire import NotReadable, ToJson, encode
from streamwatch.errors import ConfigurationError


def compile_avro(schema: Schema, where: str) -> ToJson:
    """The function that reads what this schema wrote.

    A record keeps its own writer's fields: one that was added is there, one that was removed is
    not. So a new version of a schema needs nothing here.

    Args:
        schema: the writer's.
        where: its file or number, for messages.

    Raises:
        ConfigurationError: fastavro is not installed, or this is no Avro schema.
    """
    fastavro = needed("fastavro", "avro")
    named: dict[str, Any] = {}
    try:
        for text in schema.references.values():
            fastavro.parse_schema(json.loads(text), named_schemas=named)
        parsed = fastavro.parse_schema(json.loads(schema.text), named_schemas=named)
    except Exception as error:
        raise ConfigurationError(f"{where}: is no Avro schema: {error}") from error
    read = fastavro.schemaless_reader

    def to_json(payload: bytes, _: Any) -> bytes:
        stream = io.BytesIO(payload)
        try:
            found = encode(read(stream, parsed, None))
        except Exception as error:  # whatever damaged bytes make it stumble over
            raise NotReadable("undecodable") from error
        if stream.tell() != len(payload):
            raise NotReadable("trailing-bytes")
        return found

    return to_json


def schema_of_file(text: str) -> Schema:
    """A schema that stands in a file."""
    references: Mapping[str, str] = {}
    return Schema("AVRO", text, references)
