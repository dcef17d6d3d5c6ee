"""Asks a broker one question by hand: no client threads, no log lines while it is starting."""

import socket
import struct

_METADATA, _VERSION, _CORRELATION = 3, 4, 7
_CLIENT = b"streamwatch"


def live_brokers(port: int, timeout_s: float = 3.0) -> int:
    """How many brokers a cluster says are alive; 0 when nobody answers.

    A broker takes connections before it can serve: only its own entry in the answer to a
    metadata request says that the controller let it in. The request is Kafka's Metadata, version
    4, for no topics: https://kafka.apache.org/protocol#The_Messages_Metadata

    Args:
        port: of the broker on 127.0.0.1.
        timeout_s: for connecting and for each answer.
    """
    body = struct.pack(">hhih", _METADATA, _VERSION, _CORRELATION, len(_CLIENT)) + _CLIENT
    body += struct.pack(">i?", 0, False)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            (length,) = struct.unpack(">i", _read(connection, 4))
            correlation, _throttle, brokers = struct.unpack_from(">iii", _read(connection, length))
    except (OSError, struct.error):
        return 0
    return int(brokers) if correlation == _CORRELATION else 0


def _read(connection: socket.socket, length: int) -> bytes:
    if not 0 < length < 1 << 20:
        raise OSError("this is no Kafka broker")
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise OSError("the connection ended in the middle of an answer")
        data += part
    return data
