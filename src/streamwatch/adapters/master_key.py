"""The master key from which every shop's pseudonym key is derived; never shown, never logged."""

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from streamwatch.errors import ConfigurationError

KEY = "STREAMWATCH_PSEUDONYM_KEY"
KEY_FILE = "STREAMWATCH_PSEUDONYM_KEY_FILE"
OWN_FILE = ".streamwatch.key"
SHORTEST, LONGEST = 32, 64
"""Bytes of a key: 256 bits at least, and no more than keyed BLAKE2b takes."""


def load_master_key(environment: Mapping[str, str], folder: Path) -> bytes:
    """The master key of 32 to 64 bytes, in the environment or a file as hexadecimal digits.

    Without either variable it is ``.streamwatch.key`` in the folder, made on first use for
    its owner only. Workers on several hosts need the same key, by variable.

    Raises:
        ConfigurationError: the key is malformed, its file cannot be read or made, or others
            may read the file in the folder.
    """
    if KEY in environment and KEY_FILE in environment:
        raise ConfigurationError(f"{KEY} and {KEY_FILE} are both set; unset one")
    if KEY in environment:
        return _key(environment[KEY], f"environment variable {KEY}")
    if KEY_FILE in environment:
        path = Path(environment[KEY_FILE])
        return _key(_text(path), f"{path}:1")
    path = folder / OWN_FILE
    if not path.exists():
        _make(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationError(f"{path}:1: others may read the key; run: chmod 600 {path}")
    return _key(_text(path), f"{path}:1")


def _key(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if not SHORTEST <= len(key) <= LONGEST:
        raise ConfigurationError(
            f"{where}: the pseudonym key must be {2 * SHORTEST} to {2 * LONGEST} hexadecimal "
            "digits; make one with: openssl rand -hex 32"
        )
    return key


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        message = f"{path}:1: the pseudonym key cannot be read: {error.strerror}"
        raise ConfigurationError(message) from None
    except UnicodeDecodeError:
        return ""


def _make(path: Path) -> None:
    # Linked into place whole, so that of two workers that start together one wins, and the
    # other reads the winner's key.
    try:
        handle, name = tempfile.mkstemp(prefix=f"{OWN_FILE}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{os.urandom(SHORTEST).hex()}\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
    except OSError as error:
        message = f"{path}:1: the pseudonym key cannot be made: {error.strerror}; set {KEY}"
        raise ConfigurationError(message) from None
