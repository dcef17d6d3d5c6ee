"""Incidents to a webhook: CloudEvents in HTTP's binary mode, each revision once.

The posts are made in a thread of their own, so that a slow receiver delays nothing. Per incident
only the newest revision waits. What was delivered is remembered in the database, so that the next
owner of FLEET, who is told all open incidents again, posts nothing twice. A crash between a post
and its note can repeat one; it carries the same id then.
"""

import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from streamwatch import __version__
from streamwatch.adapters.delivered import Delivered
from streamwatch.domain.alerting_settings import WebhookSettings
from streamwatch.domain.cloudevents import JSON, attributes
from streamwatch.domain.incidents import Incident
from streamwatch.domain.messages import INCIDENTS_TOPIC, Message
from streamwatch.errors import ConfigurationError, StreamwatchError

logger = logging.getLogger(__name__)

TOKEN = "STREAMWATCH_WEBHOOK_TOKEN"  # noqa: S105  # the variable's name
TOKEN_FILE = "STREAMWATCH_WEBHOOK_TOKEN_FILE"  # noqa: S105

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
STOP_S = 15.0

Outcome = Literal["delivered", "failed", "refused"]
"""What became of a post: ``failed`` is tried again, ``refused`` is not."""

_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_PLAIN = "/:@!$&'()*+,;=?-._~|"
_decode = msgspec.json.Decoder(Incident).decode


def load_token(environment: Mapping[str, str]) -> str:
    """The bearer token of the environment or of the file that it names; empty for none.

    Raises:
        ConfigurationError: the file cannot be read, or the token has characters that none has.
    """
    token = environment.get(TOKEN, "")
    file = environment.get(TOKEN_FILE)
    if file and not token:
        try:
            token = Path(file).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"{file}:1: the webhook's token cannot be read") from None
    token = token.strip()
    if not (token.isascii() and token.isprintable()):
        raise ConfigurationError(f"{TOKEN}: the token must be printable ASCII in one line")
    return token


class Webhook:
    """Posts incidents until `stop`.

    Args:
        settings: where to.
        token: a bearer token; empty for none.
        delivered: what was delivered before.
        posted: is told what became of each post.
        first_pause_s: the pause after the first failure; it doubles up to five minutes.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        token: str,
        delivered: Delivered,
        posted: Callable[[Outcome], None],
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._settings = settings
        self._token = token
        self._delivered = delivered
        self._posted = posted
        self._first_pause_s = first_pause_s
        self._pause_s = 0.0
        self._waiting: dict[str, Incident] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._opener = urllib.request.build_opener(_NoRedirects)
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    def offer(self, messages: Iterable[Message]) -> None:
        """Take the incidents among published messages; returns at once."""
        incidents = [_decode(one.value) for one in messages if one.topic == INCIDENTS_TOPIC]
        if not incidents:
            return
        with self._changed:
            for incident in incidents:
                known = self._waiting.get(incident.id)
                if known is None or known.revision < incident.revision:
                    self._waiting[incident.id] = incident
            self._changed.notify()

    def clear(self) -> None:
        """FLEET is not ours any more: its next owner posts what waits here."""
        with self._changed:
            self._waiting.clear()
            self._delivered.forget()

    def stop(self) -> None:
        """Post no more; a post under way ends by itself."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while True:
            incident = self._next()
            if incident is None:
                return
            try:
                is_done = self._deliver(incident)
            except StreamwatchError as error:
                logger.warning("the webhook waits: %s", error)
                self._delivered.forget()
                is_done = False
            if is_done:
                self._pause_s = 0.0
            else:
                self._put_back(incident)
                doubled = self._pause_s * 2 or self._first_pause_s
                self._pause_s = min(doubled, LONGEST_PAUSE_S)

    def _next(self) -> Incident | None:
        """The incident that waits longest, after the pause; ``None`` to end."""
        with self._changed:
            if self._pause_s:
                self._changed.wait_for(lambda: self._stopped, self._pause_s)
            self._changed.wait_for(lambda: self._stopped or bool(self._waiting))
            if self._stopped:
                return None
            return self._waiting.pop(next(iter(self._waiting)))

    def _put_back(self, incident: Incident) -> None:
        with self._changed:
            newer = self._waiting.pop(incident.id, incident)
            self._waiting[newer.id] = newer

    def _deliver(self, incident: Incident) -> bool:
        """Post one incident unless it was before; whether it is done with."""
        if self._delivered.has(incident):
            return True
        outcome, why = self._post(incident)
        self._posted(outcome)
        if outcome == "failed":
            logger.warning("the webhook failed and is tried again: %s", why)
            return False
        if outcome == "refused":
            logger.error("the webhook refused an incident: %s", why)
        self._delivered.add(incident)
        return True

    def _post(self, incident: Incident) -> tuple[Outcome, str]:
        request = urllib.request.Request(  # noqa: S310  # settings take http and https only
            self._settings.url,
            data=msgspec.json.encode(incident),
            headers=self._headers(incident),
            method="POST",
        )
        try:
            with self._opener.open(request, timeout=self._settings.timeout / 1000) as answer:
                return "delivered", str(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            is_final = error.code < HTTPStatus.INTERNAL_SERVER_ERROR and error.code not in _AGAIN
            return ("refused" if is_final else "failed"), f"it answered {error.code}"
        except OSError as error:
            return "failed", f"it does not answer: {error}"
        except HTTPException as error:
            return "failed", f"its answer cannot be read: {error}"

    def _headers(self, incident: Incident) -> dict[str, str]:
        headers = {
            f"ce-{name}": quote(value, safe=_PLAIN) for name, value in attributes(incident).items()
        }
        headers |= {"Content-Type": JSON, "User-Agent": f"streamwatch/{__version__}"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to where nobody configured it to go."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow none."""
