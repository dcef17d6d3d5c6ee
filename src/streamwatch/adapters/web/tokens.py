"""The tokens of the pages, from the environment or from files; never shown, never logged."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from streamwatch.adapters.web.access import SHORTEST_TOKEN, Access, is_loopback
from streamwatch.domain.alerting_settings import WebSettings
from streamwatch.errors import ConfigurationError

TOKEN = "STREAMWATCH_WEB_TOKEN"  # noqa: S105  the name of a variable
WRITE_TOKEN = "STREAMWATCH_WEB_WRITE_TOKEN"  # noqa: S105


def access_of(web: WebSettings, environment: Mapping[str, str]) -> Access:
    """Who may see and write, by the settings and the environment.

    Raises:
        ConfigurationError: a token is too short or cannot be read, or the server would be
            open to other machines.
    """
    token, write_token = (token_of(environment, name) for name in (TOKEN, WRITE_TOKEN))
    if token and token == write_token:
        raise ConfigurationError(f"{TOKEN} and {WRITE_TOKEN} are the same; make two")
    if not is_loopback(web.host) and not token and not web.user_header:
        raise ConfigurationError(
            f"web.host is {web.host}, which other machines reach: set {TOKEN} (make one with: "
            "openssl rand -hex 32), or user_header of web behind a proxy that signs people in"
        )
    named = [name.lower() for name in web.hosts]
    if web.host not in ("0.0.0.0", "::"):  # noqa: S104  asked about, not bound
        named.append(f"[{web.host}]" if ":" in web.host else web.host.lower())
    return Access(
        secret=secrets.token_bytes(32),
        hosts=tuple(named),
        token=token,
        write_token=write_token,
        user_header=web.user_header,
        proxies=web.proxies,
        writers=web.writers,
    )


def token_of(environment: Mapping[str, str], name: str) -> str:
    """A token by its variable or the file that ``…_FILE`` names; empty when neither is set.

    Raises:
        ConfigurationError: both are set, the file cannot be read, or it is too short.
    """
    by_file = f"{name}_FILE"
    if name in environment and by_file in environment:
        raise ConfigurationError(f"{name} and {by_file} are both set; unset one")
    text = environment.get(name, "").strip()
    where = f"environment variable {name}"
    if by_file in environment:
        where = f"{environment[by_file]}:1"
        try:
            text = Path(environment[by_file]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            message = f"{where}: the token of {by_file} cannot be read"
            raise ConfigurationError(message) from None
    elif name not in environment:
        return ""
    if len(text) < SHORTEST_TOKEN or not text.isascii() or not text.isprintable():
        raise ConfigurationError(
            f"{where}: a token has at least {SHORTEST_TOKEN} plain characters; make one with: "
            "openssl rand -hex 32"
        )
    return text
