"""Which file it is: so that reading it again goes on, and another file starts anew."""

import gzip
import secrets
from hashlib import blake2b
from pathlib import Path

from streamwatch.adapters.files.opening import STANDARD_INPUT

START_BYTES = 4_096


def file_id(path: str) -> str:
    """A short name for a file by how it starts; standard input is new every time.

    A file that grew is still the same file, one that was renamed too. What it starts with is
    taken unpacked, so that a file and its gzipped copy are the same.
    """
    if path == STANDARD_INPUT:
        return f"stdin-{secrets.token_hex(8)}"
    file = Path(path)
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
        start = stream.read(START_BYTES)
    return f"file-{blake2b(start, digest_size=12).hexdigest()}"
