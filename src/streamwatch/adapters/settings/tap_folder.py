"""Noticing that the files of the tap folder have changed, also by a swapped symbolic link."""

import hashlib
from pathlib import Path

import msgspec

from streamwatch.adapters.settings.tap_files import tap_file_paths
from streamwatch.errors import ConfigurationError

Signature = tuple[tuple[str, int, int, int], ...]
"""Of each file: its path, when it was changed, its size, and what the file system calls it."""

VERSION_DIGITS = 12


class Change(msgspec.Struct, frozen=True):
    """Other files than before; ``error`` when they cannot even be read."""

    version: str
    error: str = ""


class TapFolder:
    """Watches one folder.

    A change is told once the files have stayed as they are between two looks, so that a file
    that somebody is still writing is not read half.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._version = version
        self._seen: Signature | None = None
        self._read: Signature | None = None

    def changed(self) -> Change | None:
        """The version that is in the folder now, if it is another than the last that was told."""
        try:
            signature = _signature(self._folder)
            settled = signature == self._seen
            self._seen = signature
            if not settled or signature == self._read:
                return None
            version = folder_version(self._folder)
        except (OSError, ConfigurationError) as error:
            change = Change("unreadable", str(error))
            told, self._version = self._version, change.version
            self._read = None
            return None if told == change.version else change
        self._read = signature
        if version == self._version:
            return None
        self._version = version
        return Change(version)


def folder_version(folder: Path) -> str:
    """A name for what the tap files of a folder say: the same on every host.

    Raises:
        ConfigurationError: there is no such folder.
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in tap_file_paths(folder):
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:VERSION_DIGITS]


def _signature(folder: Path) -> Signature:
    found = []
    for path in tap_file_paths(folder):
        status = path.stat()
        found.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)
