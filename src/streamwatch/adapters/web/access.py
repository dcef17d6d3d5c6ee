"""Who asks, what they may do, and whether a form really came from one of our pages."""

import hmac
import ipaddress
import secrets
from hashlib import blake2b
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from streamwatch.adapters.web.exchange import RefusedRequest, Request

COOKIE = "streamwatch_session"
SESSION_MS = 12 * 3_600_000
"""How long somebody stays signed in."""

SHORTEST_TOKEN = 16
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
LONGEST_NAME = 100


class Visitor(msgspec.Struct, frozen=True):
    """Whoever asks.

    Attributes:
        name: for the audit.
        can_write: may acknowledge.
        session: what the form's token is bound to; empty where there is nothing to protect.
        by_session: has signed in on the page.
    """

    name: str
    can_write: bool
    session: str = ""
    by_session: bool = False


class Access(msgspec.Struct, frozen=True):
    """The rules of one server.

    Attributes:
        secret: signs sessions and forms; made anew with each start of the server.
        hosts: names by which it may be asked, besides this machine's own, in small letters.
        token, write_token: what opens reading, and acknowledging as well; empty for none.
        user_header: the header in which a proxy names the user; empty for none.
        proxies: addresses from which that header is believed.
        writers: users that may acknowledge.
    """

    secret: bytes
    hosts: tuple[str, ...] = ()
    token: str = ""
    write_token: str = ""
    user_header: str = ""
    proxies: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether anybody who reaches the server may read."""
        return not self.token and not self.user_header


def check_host(access: Access, request: Request) -> None:
    """Refuse a name that is not ours: else another site's name could be bound to our address.

    Raises:
        RefusedRequest: the header ``Host`` is missing or names somebody else.
    """
    host = request.headers.get("host", "").lower()
    name, _, port = host.rpartition(":")
    known = {*LOCAL_NAMES, *access.hosts}
    if host not in known and not (port.isdigit() and name in known):
        text = (
            "this name is not one of this server's; "
            "add it to `hosts` of `web` in streamwatch.yaml, or ask by its own address"
        )
        raise RefusedRequest(HTTPStatus.MISDIRECTED_REQUEST, text)


def check_origin(request: Request) -> None:
    """Refuse a form that a browser sent from another site.

    Raises:
        RefusedRequest: the browser says so.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    # Browsers write "null" for our own forms too, since our pages send no referrer.
    origin = request.headers.get("origin", "null").lower()
    own = request.headers.get("host", "").lower()
    foreign = origin != "null" and urlsplit(origin).netloc != own
    if foreign or site not in {"same-origin", "none"}:
        raise RefusedRequest(HTTPStatus.FORBIDDEN, "the form came from another site")


def visitor_of(access: Access, request: Request, now_ms: int) -> Visitor | None:
    """Who asks; ``None`` when they must sign in first."""
    named = _named_by_proxy(access, request)
    if named is not None:
        return named
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        right = right_of(access, given.strip())
        return Visitor("token", right == "write", f"bearer {given}") if right else None
    signed_in = _signed_in(access, request, now_ms)
    if signed_in is not None:
        return signed_in
    return Visitor("anonymous", can_write=False) if access.is_open else None


def right_of(access: Access, token: str) -> str:
    """What a token opens: ``write``, ``read``, or nothing (empty)."""
    for right, wanted in (("write", access.write_token), ("read", access.token)):
        if wanted and hmac.compare_digest(wanted.encode(), token.encode()):
            return right
    return ""


def new_session(access: Access, right: str, name: str, now_ms: int) -> str:
    """The cookie's value for somebody who has shown a token."""
    fields = (right, str(now_ms + SESSION_MS), secrets.token_hex(16), name.encode().hex())
    body = ".".join(fields)
    return f"{body}.{_mac(access, 'session', body)}"


def form_token(access: Access, visitor: Visitor) -> str:
    """The hidden field by which a form shows that it came from a page of this visitor."""
    return _mac(access, "form", visitor.session)


def check_form_token(access: Access, visitor: Visitor, given: str) -> None:
    """Nothing, when the form came from a page of this visitor.

    Raises:
        RefusedRequest: it did not.
    """
    wanted = form_token(access, visitor)
    if not visitor.session or not hmac.compare_digest(wanted.encode(), given.encode()):
        text = "the form is out of date; go back, load the page anew and send it again"
        raise RefusedRequest(HTTPStatus.FORBIDDEN, text)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _named_by_proxy(access: Access, request: Request) -> Visitor | None:
    if not access.user_header or request.peer not in access.proxies:
        return None
    name = request.headers.get(access.user_header.lower(), "").strip()
    if not name:
        return None
    return Visitor(name[:LONGEST_NAME], name in access.writers, f"user {name}")


def _signed_in(access: Access, request: Request, now_ms: int) -> Visitor | None:
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return _session(access, value, now_ms)
    return None


def _session(access: Access, value: str, now_ms: int) -> Visitor | None:
    body, _, mac = value.rpartition(".")
    if not hmac.compare_digest(_mac(access, "session", body).encode(), mac.encode()):
        return None
    right, ends, _, name = body.split(".")
    if int(ends) <= now_ms:
        return None
    return Visitor(bytes.fromhex(name).decode(), right == "write", body, by_session=True)


def _mac(access: Access, purpose: str, text: str) -> str:
    said = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
    return blake2b(said, key=access.secret, digest_size=32).hexdigest()
