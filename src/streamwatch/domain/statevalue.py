"""Versioned state values: one version byte, then msgpack; never pickle."""

from typing import Any, TypeVar

import msgspec

from streamwatch.errors import StateError

_Value = TypeVar("_Value")
_encode = msgspec.msgpack.Encoder().encode


def pack(version: int, value: Any) -> bytes:
    """A state value with its version.

    >>> unpack(pack(1, [1, 2]), list[int], 1, "key")
    [1, 2]
    """
    return bytes((version,)) + _encode(value)


def unpack(stored: bytes, kind: type[_Value], version: int, key: str) -> _Value:
    """Read a state value that this version or an older one wrote.

    Raises:
        StateError: the value is damaged, or a newer version wrote it.
    """
    if not stored or stored[0] > version:
        found = stored[0] if stored else "nothing"
        raise StateError(
            f"state {key!r}: version {found} is newer than {version}, which this streamwatch "
            "reads; upgrade streamwatch, or restore the database from before the newer one ran"
        )
    try:
        return msgspec.msgpack.decode(memoryview(stored)[1:], type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(
            f"state {key!r} is damaged ({error}); restore the database from a backup, or delete "
            "the row, after which the partition's sums for it start anew"
        ) from error
