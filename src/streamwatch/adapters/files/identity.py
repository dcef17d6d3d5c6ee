"""Which file it is: so that reading it again goes on, and another file starts anew."""

import re
import secrets
from hashlib import blake2b
from pathlib import Path

from streamwatch.adapters.files.opening import STANDARD_INPUT, open_bytes

COMPARED_BYTES = 64 << 20
"""So much of a file's beginning tells which one it is; two files that differ only behind it
are taken for one."""

_CHUNK = 1 << 20
_ID = re.compile(r"file-([0-9]+)-([0-9a-f]{24})")


def file_id(path: str) -> str:
    """A short name for a file by its content, such as ``file-LENGTH-DIGEST``.

    A file that was renamed keeps it, and so does its gzipped copy, since the content is taken
    unpacked. What comes through a pipe or standard input is new every time.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    if path == STANDARD_INPUT or Path(path).is_fifo():
        return f"pipe-{secrets.token_hex(8)}"
    length, digest = _start(path, COMPARED_BYTES)
    return f"file-{length}-{digest}"


def continues(path: str, earlier: str) -> bool:
    """Whether a file begins with all that the file of an earlier id held: whether it grew.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    known = _ID.fullmatch(earlier)
    if known is None or path == STANDARD_INPUT or Path(path).is_fifo():
        return False
    length, digest = int(known[1]), known[2]
    return _start(path, min(length, COMPARED_BYTES)) == (length, digest)


def _start(path: str, most: int) -> tuple[int, str]:
    """Length and digest of the file's first bytes, ``most`` of them if it has so many."""
    left, hashed = most, blake2b(digest_size=12)
    with open_bytes(path) as stream:
        while left and (chunk := stream.read(min(left, _CHUNK))):
            hashed.update(chunk)
            left -= len(chunk)
    return most - left, hashed.hexdigest()
