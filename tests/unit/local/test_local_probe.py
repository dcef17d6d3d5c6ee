import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streamwatch.adapters.local.probe import live_brokers
from streamwatch.adapters.local.process import free_port


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """Takes one connection, reads the question, gives the answer and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=10)


def metadata(brokers: int, correlation: int = 7) -> bytes:
    body = struct.pack(">iii", correlation, 0, brokers)
    return struct.pack(">i", len(body)) + body


def test_a_broker_that_the_controller_let_in_counts() -> None:
    with server(metadata(brokers=1)) as port:
        assert live_brokers(port) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(metadata(brokers=0), id="not let in yet"),
        pytest.param(metadata(brokers=1, correlation=8), id="answers something else"),
        pytest.param(b"", id="hangs up"),
        pytest.param(metadata(brokers=1)[:9], id="hangs up in the middle"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="speaks another language"),
        pytest.param(struct.pack(">i", 2) + b"ab", id="too short"),
    ],
)
def test_anything_else_does_not(answer: bytes) -> None:
    with server(answer) as port:
        assert live_brokers(port) == 0


def test_nobody_listens() -> None:
    assert live_brokers(free_port()) == 0
