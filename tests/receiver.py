"""A web server of a test that keeps what is posted to it."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


class Post(msgspec.Struct, frozen=True):
    path: str
    headers: dict[str, str]
    body: Any


class Receiver:
    """Answers posts with the planned codes, then with 200; `read` makes their bodies."""

    def __init__(self, read: Callable[[bytes], Any]) -> None:
        self.read = read
        self.posts: list[Post] = []
        self.answers: list[int] = []
        self._changed = threading.Condition()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def take(self, post: Post) -> int:
        with self._changed:
            self.posts.append(post)
            self._changed.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def wait_for(self, posts: int, seconds: float = 20.0) -> list[Post]:
        """The posts, once there are so many."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.posts) >= posts, seconds):
                raise AssertionError(f"{len(self.posts)} posts within {seconds} s: {self.posts}")
            return list(self.posts)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextmanager
def receiver(read: Callable[[bytes], Any] = json.loads) -> Iterator[Receiver]:
    """A receiver that is closed at the end."""
    made = Receiver(read)
    try:
        yield made
    finally:
        made.close()


def _handler(to: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = self.rfile.read(length)
            body = gzip.decompress(sent) if headers.get("content-encoding") == "gzip" else sent
            code = to.take(Post(self.path, headers, to.read(body)))
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"{to.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    return Handler
