"""A client of a Confluent-compatible schema registry; schemas never change, so each is asked once.

Spoken by Confluent's, Karapace, Redpanda's, and Apicurio's under ``/apis/ccompat/v7``.
"""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from streamwatch.errors import ConfigurationError, RegistryError

AUTH = "STREAMWATCH_SCHEMA_REGISTRY_AUTH"
AUTH_FILE = "STREAMWATCH_SCHEMA_REGISTRY_AUTH_FILE"
PATIENCE_S = 10.0
MOST_BYTES = 8 << 20
DEEPEST = 20
"""How deep schemas may refer to each other."""


class Schema(msgspec.Struct, frozen=True):
    """A schema, with those that it refers to before it.

    Attributes:
        kind: ``AVRO``, ``JSON`` or ``PROTOBUF``.
        text: the schema; of Protobuf, its serialised file descriptor in base64.
        references: name by which it is referred to → the schema; in the order of need.
    """

    kind: str
    text: str
    references: Mapping[str, str] = {}


class UnknownSchemaError(Exception):
    """The registry has no schema of that number."""


def load_auth(environment: Mapping[str, str]) -> str:
    """``user:password``, or a bearer token, of the environment or a file; empty for none.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    auth, file = environment.get(AUTH, ""), environment.get(AUTH_FILE)
    if file and not auth:
        try:
            auth = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"{file}:1: {AUTH_FILE} cannot be read") from None
    return auth.strip()


class Registry:
    """Asks a registry.

    Args:
        url: its address; several joined by commas are tried one after the other.
        auth: ``user:password`` for basic authentication, else a bearer token; empty for none.
    """

    def __init__(self, url: str, auth: str = "") -> None:
        self._urls = [one.strip().rstrip("/") for one in url.split(",")]
        self._opener = urllib.request.build_opener(_NoRedirects)
        self._headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if ":" in auth:
            self._headers["Authorization"] = f"Basic {base64.b64encode(auth.encode()).decode()}"
        elif auth:
            self._headers["Authorization"] = f"Bearer {auth}"

    def schema(self, number: int) -> Schema:
        """The schema of a number.

        Raises:
            UnknownSchemaError: there is none.
            RegistryError: the registry does not answer as it should; asking again may help.
        """
        found = self._get(f"/schemas/ids/{number}")
        kind = found.get("schemaType") or "AVRO"
        if kind == "PROTOBUF":
            found = self._get(f"/schemas/ids/{number}?format=serialized")
        references: dict[str, str] = {}
        self._refer(found, kind, references, 0)
        return Schema(kind, str(found.get("schema", "")), references)

    def _refer(
        self, found: Mapping[str, Any], kind: str, references: dict[str, str], depth: int
    ) -> None:
        if depth > DEEPEST:
            raise UnknownSchemaError
        for one in found.get("references") or ():
            if one["name"] not in references:
                path = f"/subjects/{quote(one['subject'], safe='')}/versions/{int(one['version'])}"
                inner = self._get(path + "?format=serialized" * (kind == "PROTOBUF"))
                self._refer(inner, kind, references, depth + 1)
                references[one["name"]] = str(inner.get("schema", ""))

    def _get(self, path: str) -> dict[str, Any]:
        why = ""
        for url in self._urls:
            request = urllib.request.Request(url + path, headers=self._headers)  # noqa: S310  # settings take http and https only
            try:
                with self._opener.open(request, timeout=PATIENCE_S) as answer:
                    found = json.loads(answer.read(MOST_BYTES))
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == HTTPStatus.NOT_FOUND:
                    raise UnknownSchemaError from error
                why = f"it answered {error.code}{_hint(error.code)}"
            except (OSError, HTTPException, ValueError) as error:
                why = f"it does not answer: {error}"
            else:
                if isinstance(found, dict):
                    return found
                why = "its answer is no JSON object"
        raise RegistryError(
            f"schema registry {', '.join(map(_without_user, self._urls))}: {why}; "
            "check kafka.schema_registry"
        )


def _hint(code: int) -> str:
    refused = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    return f": set {AUTH} to user:password or a token" if code in refused else ""


def _without_user(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the password to where nobody configured it to go."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow none."""
