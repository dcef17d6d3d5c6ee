"""A small schema registry over HTTP, as Confluent's answers."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeRegistry:
    """Knows schemas by number and by subject; counts what it is asked.

    Attributes:
        url: its address.
        asked: the paths that were asked for.
        status: the status of every answer, if it is not 200.
    """

    def __init__(self) -> None:
        self.schemas: dict[int, dict[str, Any]] = {}
        self.subjects: dict[tuple[str, int], dict[str, Any]] = {}
        self.asked: list[str] = []
        self.authorizations: list[str | None] = []
        self.status = 200
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.asked.append(self.path)
                fake.authorizations.append(self.headers["Authorization"])
                status, body = fake.answer(self.path)
                self.send_response(status)
                self.send_header("Location", fake.url + self.path)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def add(self, number: int, schema: Any, kind: str = "AVRO", **more: Any) -> None:
        if isinstance(schema, bytes):
            text = base64.b64encode(schema).decode()
        else:
            text = schema if isinstance(schema, str) else json.dumps(schema)
        self.schemas[number] = {"schema": text, "schemaType": kind, **more}

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        if self.status != 200:
            return self.status, {"error_code": self.status}
        parts = path.partition("?")[0].split("/")
        if parts[1:3] == ["schemas", "ids"]:
            found = self.schemas.get(int(parts[3]))
        else:
            found = self.subjects.get((parts[2], int(parts[4])))
        return (200, found) if found else (404, {"error_code": 40403})


@contextmanager
def running_registry() -> Iterator[FakeRegistry]:
    fake = FakeRegistry()
    thread = threading.Thread(target=fake.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.server.shutdown()
        fake.server.server_close()
        thread.join()


def framed(number: int, payload: bytes) -> bytes:
    """A payload in the registry's wire format."""
    return b"\0" + number.to_bytes(4) + payload
