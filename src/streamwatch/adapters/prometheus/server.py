"""The HTTP server of a worker: metrics, and whether it lives and is ready."""

import errno
import gzip
import logging
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder, gzip_accepted

from streamwatch.adapters.prometheus.rendered import render
from streamwatch.errors import ServiceError

logger = logging.getLogger(__name__)

CLIENT_SECONDS = 30
"""How long a client may take to ask and to read."""

STOP_SECONDS = 0.1
"""How often the server looks whether it shall stop."""

GZIP_LEVEL = 1
"""The fastest: label sets repeat so much that a higher level gains little."""

_PLAIN = "text/plain; charset=utf-8"


class Server:
    """A server that runs in threads of its own until `stop`.

    Attributes:
        port: where it listens; the free port that was found when 0 was asked for.
    """

    def __init__(self, http: ThreadingHTTPServer) -> None:
        self.port: int = http.server_address[1]
        self._http = http
        self._thread = threading.Thread(
            target=http.serve_forever, args=(STOP_SECONDS,), name="metrics", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests and free the port."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def serve(
    registry: CollectorRegistry,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[], bool] = lambda: True,
    stuck: Callable[[], str | None] = lambda: None,
) -> Server:
    """Serve ``/metrics``, ``/-/healthy`` and ``/-/ready``.

    Args:
        registry: whose metrics.
        host: the address to listen on.
        port: the port; 0 takes a free one.
        ready: asked at each request of ``/-/ready``; 503 while it is false.
        stuck: asked at each request of ``/-/healthy``; 503 while it says what hangs.

    Raises:
        ServiceError: the address cannot be listened on.
    """

    class Bound(_Handler):
        site = _Site(registry, ready, stuck)

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return Server(_server_class(family)((str(address[0]), port), Bound))
    except OSError as error:
        raise ServiceError(_why(error, host, port)) from error


class _Answer(msgspec.Struct, frozen=True):
    status: HTTPStatus
    body: bytes
    content_type: str = _PLAIN
    is_gzip: bool = False


class _Site:
    """What is served, whatever the transport."""

    def __init__(
        self,
        registry: CollectorRegistry,
        ready: Callable[[], bool],
        stuck: Callable[[], str | None],
    ) -> None:
        self._registry = registry
        self._ready = ready
        self._stuck = stuck

    def answer(self, path: str, accept: str, accept_encoding: str) -> _Answer:
        """The answer to a request of a path."""
        match path:
            case "/metrics":
                encoder, content_type = choose_encoder(accept)
                body = render(self._registry, encoder)
                if gzip_accepted(accept_encoding):
                    packed = gzip.compress(body, GZIP_LEVEL)
                    return _Answer(HTTPStatus.OK, packed, content_type, is_gzip=True)
                return _Answer(HTTPStatus.OK, body, content_type)
            case "/-/healthy":
                hangs = self._stuck()
                if hangs:
                    return _Answer(HTTPStatus.SERVICE_UNAVAILABLE, f"{hangs}\n".encode())
                return _Answer(HTTPStatus.OK, b"healthy\n")
            case "/-/ready" if self._ready():
                return _Answer(HTTPStatus.OK, b"ready\n")
            case "/-/ready":
                return _Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"not ready\n")
            case _:
                known = b"not found; there are /metrics, /-/healthy and /-/ready\n"
                return _Answer(HTTPStatus.NOT_FOUND, known)


class _Handler(BaseHTTPRequestHandler):
    """One request; nothing of it is logged or sent back."""

    site: _Site
    timeout = CLIENT_SECONDS
    error_content_type = _PLAIN
    error_message_format = "%(code)d\n"

    def do_GET(self) -> None:
        """Answer with the body."""
        answer = self._answer()
        self._head(answer)
        self.wfile.write(answer.body)

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self._head(self._answer())

    def version_string(self) -> str:
        """What the header ``Server`` says: no versions."""
        return "streamwatch"

    def log_message(self, *_: Any) -> None:
        """Log nothing: a scrape every few seconds is no news."""

    def _answer(self) -> _Answer:
        path = self.path.partition("?")[0]
        try:
            return self.site.answer(
                path, self.headers.get("Accept", ""), self.headers.get("Accept-Encoding", "")
            )
        except Exception:
            logger.exception("a request of the metrics server failed")
            return _Answer(HTTPStatus.INTERNAL_SERVER_ERROR, b"failed; the log says why\n")

    def _head(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        if answer.is_gzip:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()


def _server_class(family: int) -> type[ThreadingHTTPServer]:
    class HttpServer(ThreadingHTTPServer):
        address_family = family
        daemon_threads = True

        def server_bind(self) -> None:
            # The parent would look the host's name up, which can take seconds.
            socketserver.TCPServer.server_bind(self)

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is no error of ours."""
            del request, client_address
            logger.debug("a client of the metrics server went away")

    return HttpServer


def _why(error: OSError, host: str, port: int) -> str:
    place = f"metrics cannot be served on {host}:{port}"
    if isinstance(error, socket.gaierror):
        return f"{place}: the name is not known; set metrics_host to an address of this host"
    if error.errno == errno.EADDRINUSE:
        return f"{place}: the port is in use; set metrics_port to another one, or to 0 for any"
    if error.errno == errno.EACCES:
        return f"{place}: the port is not allowed; set metrics_port to one from 1024 on"
    return f"{place}: {error.strerror}; set metrics_host and metrics_port"
