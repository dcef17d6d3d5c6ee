"""Whether the settings of the pages and of Alertmanager can work."""

import ipaddress
import re
from collections.abc import Iterator

from streamwatch.adapters.settings.alerting_checks import is_web_address
from streamwatch.domain.findings import Finding
from streamwatch.domain.settings import Settings

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_NAME = re.compile(r"[a-z0-9.-]{1,253}(:[0-9]{1,5})?", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_TAKEN = {"authorization", "cookie", "host", "origin", "referer", "content-type", "content-length"}


def check_web(settings: Settings) -> Iterator[Finding]:
    """What cannot work in ``web`` and ``alertmanager``."""
    web = settings.web
    if not _HOST.fullmatch(web.host):
        yield Finding(("web", "host"), "host of web must be a host name or an address")
    for position, name in enumerate(web.hosts):
        if not _NAME.fullmatch(name):
            text = "hosts of web must be names such as streamwatch.example or host.example:8080"
            yield Finding(("web", "hosts", position), text)
    if web.user_header and (
        not _HEADER.fullmatch(web.user_header) or web.user_header.lower() in _TAKEN
    ):
        text = "user_header of web must be the name of a header of its own, such as X-Remote-User"
        yield Finding(("web", "user_header"), text)
    for position, proxy in enumerate(web.proxies):
        if not _is_address(proxy):
            text = f"proxies of web must be addresses such as 10.0.0.7, not `{proxy}`"
            yield Finding(("web", "proxies", position), text)
    if web.writers and not web.user_header:
        text = "writers of web are named by a proxy; set user_header, or leave them out"
        yield Finding(("web", "writers"), text)
    if settings.alertmanager.url and not is_web_address(settings.alertmanager.url):
        text = "url of alertmanager must begin with http:// or https://"
        yield Finding(("alertmanager", "url"), text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
