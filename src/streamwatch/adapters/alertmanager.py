"""Silences in Alertmanager, by its API v2."""

import base64
import http.client
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import SplitResult, quote, unquote, urlsplit

from streamwatch.errors import ServiceError

TIMEOUT_SECONDS = 5
MOST_BYTES = 1 << 20
OK, NOT_FOUND = 200, 404
_ENDED = (b"expired", b"not found")


class Silencer(Protocol):
    """What acknowledging needs of Alertmanager; the fake of the tests has it too."""

    def silence(
        self, labels: Mapping[str, str], ends: int, who: str, comment: str, renewed: str
    ) -> str:
        """Silence alerts with these labels until a moment (milliseconds); gives the id.

        ``renewed`` is the id of a silence to be prolonged; empty for a new one.
        """

    def lift(self, silence: str) -> None:
        """End a silence; nothing when it has ended or is not known."""


class Alertmanager:
    """An Alertmanager by its address; user and password in it are sent as basic auth."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)

    def silence(
        self, labels: Mapping[str, str], ends: int, who: str, comment: str, renewed: str = ""
    ) -> str:
        """Silence alerts with exactly these labels; prolongs ``renewed`` while it is known.

        Raises:
            ServiceError: Alertmanager does not answer, or refuses.
        """
        body: dict[str, Any] = {
            "matchers": [
                {"name": name, "value": value, "isRegex": False, "isEqual": True}
                for name, value in labels.items()
            ],
            "startsAt": _written(datetime.now(UTC).timestamp() * 1000),
            "endsAt": _written(ends),
            "createdBy": who,
            "comment": comment,
        }
        status, answer = self._ask("POST", "/api/v2/silences", {**body, "id": renewed})
        if status == NOT_FOUND and renewed:
            status, answer = self._ask("POST", "/api/v2/silences", body)
        if status != OK:
            raise self._refused(status, answer)
        try:
            return str(json.loads(answer)["silenceID"])
        except (ValueError, KeyError, TypeError):
            raise self._refused(status, answer) from None

    def lift(self, silence: str) -> None:
        """End a silence; nothing when it has ended or is not known.

        Raises:
            ServiceError: Alertmanager does not answer, or refuses.
        """
        status, answer = self._ask("DELETE", f"/api/v2/silence/{quote(silence, safe='')}", None)
        # Some versions answer with 500 when it has ended already, or is not known.
        if status not in {OK, NOT_FOUND} and not any(one in answer for one in _ENDED):
            raise self._refused(status, answer)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, bytes]:
        address = self._address
        secure = address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(str(address.hostname), address.port, timeout=TIMEOUT_SECONDS)
        try:
            sent = None if body is None else json.dumps(body).encode()
            connection.request(method, address.path.rstrip("/") + path, sent, _headers(address))
            answer = connection.getresponse()
            return answer.status, answer.read(MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            said = str(error) or type(error).__name__
            text = f"Alertmanager at {self._shown} does not answer ({said}); check `alertmanager`"
            raise ServiceError(f"{text} in streamwatch.yaml") from error
        finally:
            connection.close()

    def _refused(self, status: int, answer: bytes) -> ServiceError:
        said = answer[:200].decode("utf-8", "replace").strip()
        return ServiceError(f"Alertmanager at {self._shown} refused ({status}): {said}")

    @property
    def _shown(self) -> str:
        port = f":{self._address.port}" if self._address.port else ""
        return f"{self._address.hostname}{port}"


def _headers(address: SplitResult) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if address.username:
        pair = f"{unquote(address.username)}:{unquote(address.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _written(milliseconds: float) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat().replace("+00:00", "Z")
