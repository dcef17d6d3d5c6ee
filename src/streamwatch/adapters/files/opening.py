"""Opening what a user names: a file, a gzip file, or standard input."""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from streamwatch.errors import ConfigurationError

STANDARD_INPUT = "-"
_GZIP_MAGIC = b"\x1f\x8b"
_BUFFER = 1 << 20


def name_of(path: str) -> str:
    """The name by which messages and line ids call the file; it holds no folder.

    >>> name_of("/data/events.jsonl"), name_of("-")
    ('events.jsonl', 'stdin')
    """
    return "stdin" if path == STANDARD_INPUT else Path(path).name


@contextmanager
def open_bytes(path: str) -> Iterator[io.BufferedReader]:
    """The file's bytes, unpacked if it is gzip (told by its first bytes, not its name).

    Raises:
        ConfigurationError: there is no such file, it is a folder, or it cannot be read; and,
            while reading, gzip data that is damaged or ends early.
    """
    # Standard input gets a reader of its own: a thread that waits on sys.stdin at the end of
    # the program would hold the lock that the interpreter needs to shut down.
    source: int | str = 0 if path == STANDARD_INPUT else path
    try:
        with _buffered(io.FileIO(source, closefd=source != 0)) as raw:
            if raw.peek(2)[:2] != _GZIP_MAGIC:
                yield raw
            else:
                yield _buffered(cast("io.RawIOBase", gzip.GzipFile(fileobj=raw)))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise ConfigurationError(
            f"{path}: is a folder: name the files in it, such as {path.rstrip('/')}/*.jsonl"
        ) from error
    except PermissionError as error:
        raise ConfigurationError(f"{path}: may not be read: check its permissions") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ConfigurationError(
            f"{path}: the gzip data is damaged or ends early: fetch the file again"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error


def check_readable(paths: Iterable[str]) -> None:
    """Open each file once, so that a misspelt name is told before any work is done.

    A pipe is left alone, since what is read from it is gone.

    Raises:
        ConfigurationError: a file is missing, a folder, or may not be read.
    """
    for path in paths:
        pipe = path == STANDARD_INPUT or Path(path).is_fifo()
        if not pipe:
            with open_bytes(path):
                pass


def _buffered(raw: io.RawIOBase) -> io.BufferedReader:
    return io.BufferedReader(raw, _BUFFER)
