"""Carrying the site over HTTP: waitress takes requests in, whole, before a thread sees them.

So a client that sends slowly holds a connection, never a thread.
"""

import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from waitress.server import create_server
from waitress.wasyncore import close_all

from streamwatch.adapters.web.exchange import LARGEST_BODY, Request
from streamwatch.adapters.web.site import Site
from streamwatch.errors import ServiceError

THREADS = 6
MOST_CONNECTIONS = 500
LARGEST_HEADER = 16_384
CLIENT_SECONDS = 20
"""How long a client may stay without sending or taking a byte."""

STOP_SECONDS = 5


class WebServer:
    """A server that runs in a thread of its own until `stop`.

    Attributes:
        port: where it listens; the free port that was found when 0 was asked for.
    """

    def __init__(self, server: Any, channels: dict[int, Any]) -> None:
        self.port: int = int(server.effective_port)
        self._server = server
        self._channels = channels
        self._thread = threading.Thread(target=server.run, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests and free the port."""
        # In the server's own thread, whose loop ends when no channel is left.
        # Something else may wake it first: then all is closed before the trigger is written to.
        with contextlib.suppress(OSError):
            self._server.trigger.pull_trigger(lambda: close_all(self._channels, ignore_all=True))
        self._thread.join(STOP_SECONDS)
        self._server.task_dispatcher.shutdown(timeout=STOP_SECONDS)


def serve_site(site: Site, host: str, port: int) -> WebServer:
    """Serve a site until `WebServer.stop`.

    Raises:
        ServiceError: the address cannot be listened on.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        address = str(found[0][4][0])
        channels: dict[int, Any] = {}
        server = create_server(
            application(site),
            map=channels,
            host=address,
            port=port,
            threads=THREADS,
            connection_limit=MOST_CONNECTIONS,
            channel_timeout=CLIENT_SECONDS,
            cleanup_interval=5,
            max_request_header_size=LARGEST_HEADER,
            max_request_body_size=LARGEST_BODY,
            clear_untrusted_proxy_headers=False,
            ident="",
        )
    except OSError as error:
        raise ServiceError(_why(error, host, port)) from error
    return WebServer(server, channels)


def application(site: Site) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """The site as a WSGI application."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        request = request_of(environ)
        response = site.answer(request)
        headers = [
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            *response.headers,
        ]
        start(f"{response.status.value} {response.status.phrase}", headers)
        return [b"" if request.method == "HEAD" else response.body]

    return answer


def request_of(environ: WSGIEnvironment) -> Request:
    """A request as the site sees it."""
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
    length = environ.get("CONTENT_LENGTH") or "0"
    size = min(int(length), LARGEST_BODY + 1) if length.isdigit() else 0
    return Request(
        method=environ.get("REQUEST_METHOD", "GET"),
        path=path or "/",
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        peer=environ.get("REMOTE_ADDR", ""),
        body=environ["wsgi.input"].read(size) if size else b"",
    )


def _why(error: OSError, host: str, port: int) -> str:
    place = f"the pages cannot be served on {host}:{port}"
    if isinstance(error, socket.gaierror):
        return f"{place}: the name is not known; set `host` of `web` to an address of this host"
    if error.errno == errno.EADDRINUSE:
        return f"{place}: the port is in use; set `port` of `web`, or use --port 0 for any"
    if error.errno == errno.EACCES:
        return f"{place}: the port is not allowed; set `port` of `web` to one from 1024 on"
    return f"{place}: {error.strerror}; set `host` and `port` of `web`"
