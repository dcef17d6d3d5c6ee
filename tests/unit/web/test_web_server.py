"""The server as browsers and attackers reach it: over a socket."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import SECRET, WRITE, fill, site_of

from streamwatch.adapters.web.access import Access
from streamwatch.adapters.web.exchange import FORM
from streamwatch.adapters.web.server import LARGEST_HEADER, THREADS, WebServer, serve_site
from streamwatch.errors import ServiceError

SECONDS = 20


@pytest.fixture(name="server")
def _server(engine: Engine) -> Iterator[WebServer]:
    fill(engine)
    access = Access(
        SECRET,
        write_token=WRITE,
        user_header="X-Remote-User",
        proxies=("127.0.0.1",),
        writers=("ada",),
    )
    server = serve_site(site_of(engine, access), "127.0.0.1", 0)
    yield server
    server.stop()


def ask(
    server: WebServer, method: str, path: str, body: bytes = b"", /, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    with contextlib.closing(connection):
        connection.request(method, path, body or None, {"X-Remote-User": "ada", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.headers)


def raw(server: WebServer, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as client:
        parts = []
        with contextlib.suppress(OSError):  # a server may answer and leave before all is sent
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65_536):
                parts.append(part)
        return b"".join(parts)


def test_a_page_comes_over_the_wire(server: WebServer) -> None:
    status, body, headers = ask(server, "GET", "/shop?name=shop-002")
    assert status == 200
    assert b"shop-002" in body
    assert int(headers["Content-Length"]) == len(body)
    assert "Server" not in headers or "waitress" not in headers["Server"].lower()


def test_head_is_get_without_a_body(server: WebServer) -> None:
    _, body, _ = ask(server, "GET", "/shops")
    status, nothing, headers = ask(server, "HEAD", "/shops")
    assert (status, nothing) == (200, b"")
    assert int(headers["Content-Length"]) == len(body)


def test_too_large_a_body_is_refused_before_it_is_read(server: WebServer) -> None:
    status, _, _ = ask(server, "POST", "/acknowledge", b"a" * 300_000, **{"Content-Type": FORM})
    assert status == 413
    head = b"POST /acknowledge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"
    assert raw(server, head).startswith(b"HTTP/1.1 413")


def test_too_large_a_header_is_refused(server: WebServer) -> None:
    # Little more than the limit: what a server leaves unread may make the kernel drop its answer.
    answer = raw(server, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * LARGEST_HEADER)
    assert answer.startswith((b"HTTP/1.0 431", b"HTTP/1.1 431"))


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Bad\r\n\r\n",
        b"GET / HTTP/1.1\nHost: localhost\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /%zz%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_malformed_requests_are_refused_and_the_server_goes_on(
    server: WebServer, sent: bytes
) -> None:
    answer = raw(server, sent)
    assert b" 200 " not in answer[:20]
    assert b" 500 " not in answer[:20]
    assert ask(server, "GET", "/")[0] == 200


def test_a_users_name_cannot_come_by_another_spelling_of_the_header(server: WebServer) -> None:
    sent = b"GET / HTTP/1.1\r\nHost: localhost\r\nX_Remote_User: ada\r\nConnection: close\r\n\r\n"
    assert raw(server, sent).startswith(b"HTTP/1.1 303")
    both = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Remote-User: ada\r\nX-Remote-User: bob\r\n"
        b"Connection: close\r\n\r\n"
    )
    assert b"may read" in raw(server, both)


def test_slow_clients_do_not_keep_others_waiting(server: WebServer) -> None:
    slow = [
        socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
        for _ in range(20 * THREADS)
    ]
    for client in slow:
        client.sendall(b"POST /acknowledge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n")
    began = time.monotonic()
    assert ask(server, "GET", "/")[0] == 200
    assert time.monotonic() - began < 5
    for client in slow:
        client.close()


def test_many_at_once_are_all_answered(server: WebServer) -> None:
    found: list[int] = []

    def look() -> None:
        found.append(ask(server, "GET", "/incident?shop=shop-002&event_type=widget-event"
                                        "&kpi=mean.height")[0])  # fmt: skip

    threads = [threading.Thread(target=look) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert found == [200] * 24


def test_signing_in_and_acknowledging_over_the_wire(engine: Engine) -> None:
    incident = fill(engine)
    server = serve_site(site_of(engine, Access(SECRET, write_token=WRITE)), "127.0.0.1", 0)
    try:
        form = {"Content-Type": FORM}
        wanted = urlencode({"token": WRITE, "who": "Ada", "next": "/shops"}).encode()
        status, _, headers = ask(server, "POST", "/sign-in", wanted, **form)
        assert (status, headers["Location"]) == (303, "/shops")
        cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
        page = f"/incident?{urlencode({'id': incident.id})}"
        body = ask(server, "GET", page, **cookie)[1].decode()
        token = body.partition('name="form" value="')[2][:64]
        said = urlencode({"form": token, "id": incident.id, "kind": "client-error"}).encode()
        status, _, headers = ask(server, "POST", "/acknowledge", said, **form, **cookie)
        assert status == 303
        assert "client error</b> by Ada" in ask(server, "GET", page, **cookie)[1].decode()
    finally:
        server.stop()


def test_stopping_frees_the_port_and_a_taken_one_is_explained(engine: Engine) -> None:
    server = serve_site(site_of(engine), "127.0.0.1", 0)
    with pytest.raises(ServiceError, match="the port is in use; set `port` of `web`"):
        serve_site(site_of(engine), "127.0.0.1", server.port)
    server.stop()
    again = serve_site(site_of(engine), "127.0.0.1", server.port)
    assert ask(again, "GET", "/-/healthy")[0] == 200
    again.stop()
    with pytest.raises(ServiceError, match="the name is not known"):
        serve_site(site_of(engine), "no-such-host.invalid", 0)


def test_a_database_that_went_away_is_said_and_the_server_goes_on(engine: Engine) -> None:
    site = site_of(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE fences RENAME TO hidden")
    server = serve_site(replace(site, engine=engine), "127.0.0.1", 0)
    try:
        status, body, _ = ask(server, "GET", "/")
        assert status == 503
        assert b"streamwatch db upgrade" in body
        assert ask(server, "GET", "/shops")[0] == 200
    finally:
        server.stop()
