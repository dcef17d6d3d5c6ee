"""Whether the addresses of alerting and of the webhook can work."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from streamwatch.domain.findings import Finding
from streamwatch.domain.settings import Settings

_TARGET = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})")
_RECEIVER = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def check_alerting(settings: Settings) -> Iterator[Finding]:
    """What cannot work in ``alerting`` and ``webhook``."""
    alerting = settings.alerting
    for position, target in enumerate(alerting.targets):
        match = _TARGET.fullmatch(target)
        if match is None or not 0 < int(match[2]) < 2**16:
            text = f"targets of alerting must be host:port, not `{target}`"
            yield Finding(("alerting", "targets", position), text)
    for key in ("grafana", "prometheus", "pages", "runbooks"):
        if not is_web_address(getattr(alerting, key)):
            yield Finding(
                ("alerting", key), f"{key} of alerting must begin with http:// or https://"
            )
    for name, address in alerting.receivers.items():
        place = ("alerting", "receivers", name)
        if not _RECEIVER.fullmatch(name):
            yield Finding(place, "the name of a receiver has small letters, digits and dashes")
        if not is_web_address(address):
            yield Finding(place, f"receiver {name} must begin with http:// or https://")
    if settings.webhook.url and not is_web_address(settings.webhook.url):
        yield Finding(("webhook", "url"), "url of webhook must begin with http:// or https://")


def is_web_address(address: str) -> bool:
    """Whether an address begins with http or https, and names a host."""
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
