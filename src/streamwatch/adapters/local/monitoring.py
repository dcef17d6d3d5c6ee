"""Prometheus and Alertmanager on this machine, each on a port and in a folder of its own."""

import contextlib
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from os import environ
from pathlib import Path

import msgspec

from streamwatch.adapters.local.process import (
    Note,
    end,
    free_port,
    launch,
    runs,
    tail,
    wait_until,
)
from streamwatch.errors import ServiceError

PROGRAMS: dict[str, tuple[str, ...]] = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "amtool": ("amtool",),
}
"""What is needed, and the names under which Debian and the projects themselves install it."""

HOW_TO_INSTALL = (
    "on Debian: apt-get install prometheus prometheus-alertmanager; on macOS: brew install "
    "prometheus alertmanager; elsewhere put the projects' own programs on the PATH, or in the "
    "folder that STREAMWATCH_TEST_PROMETHEUS names"
)
FOLDER_VARIABLE = "STREAMWATCH_TEST_PROMETHEUS"

_START_S = 30.0
_STOP_S = 10.0


def program(name: str) -> Path:
    """Where a program lies.

    Args:
        name: a key of `PROGRAMS`.

    Raises:
        ServiceError: it is not installed; the text says how to.
    """
    folder = environ.get(FOLDER_VARIABLE)
    for file in PROGRAMS[name]:
        found = shutil.which(file, path=folder) if folder else shutil.which(file)
        if found is not None:
            return Path(found)
    raise ServiceError(f"{name} is not installed; {HOW_TO_INSTALL}")


def missing_programs() -> list[str]:
    """The needed programs that are not installed."""
    missing = []
    for name in PROGRAMS:
        try:
            program(name)
        except ServiceError:
            missing.append(name)
    return missing


def check(name: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``promtool`` or ``amtool``; what it says is in the answer, whatever it finds."""
    return subprocess.run(  # noqa: S603
        [str(program(name)), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )


class Server(msgspec.Struct, frozen=True):
    """A server that was started here.

    Attributes:
        name: ``prometheus`` or ``alertmanager``.
        url: its address, ``http://127.0.0.1:port``.
        log: what it printed.
    """

    name: str
    url: str
    log: Path
    note: Note

    def stop(self) -> None:
        """End it.

        Raises:
            ServiceError: it does not end.
        """
        end(self.note, patience_s=_STOP_S)

    def get(self, path: str) -> bytes:
        """The body of an answer.

        Raises:
            ServiceError: it does not answer, or not with success.
        """
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # noqa: S310
                body: bytes = answer.read()
        except OSError as error:
            raise ServiceError(f"{self.url}{path}: {error}{tail(self.log)}") from error
        return body


def start_prometheus(configuration: Path, data: Path, port: int | None = None) -> Server:
    """Start Prometheus and wait until it is ready.

    Args:
        configuration: its ``prometheus.yml``.
        data: a folder for its data and log; made when missing.
        port: on 127.0.0.1; by default a free one.

    Raises:
        ServiceError: it is not installed, or does not start: with its log.
    """
    chosen = port or free_port()
    arguments = [
        f"--config.file={configuration.resolve()}",
        f"--storage.tsdb.path={data.resolve() / 'data'}",
        f"--web.listen-address=127.0.0.1:{chosen}",
    ]
    return _start("prometheus", arguments, data, chosen)


def start_alertmanager(configuration: Path, data: Path, port: int | None = None) -> Server:
    """Start a single Alertmanager and wait until it is ready; see `start_prometheus`."""
    chosen = port or free_port()
    arguments = [
        f"--config.file={configuration.resolve()}",
        f"--storage.path={data.resolve() / 'data'}",
        f"--web.listen-address=127.0.0.1:{chosen}",
        "--cluster.listen-address=",
    ]
    return _start("alertmanager", arguments, data, chosen)


def _start(
    name: str,
    arguments: Sequence[str],
    folder: Path,
    port: int,
    environment: Mapping[str, str] | None = None,
) -> Server:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.resolve() / f"{name}.log"
    pid, birth = launch([str(program(name)), *arguments], log, environment=environment)
    server = Server(name, f"http://127.0.0.1:{port}", log, Note(port, pid, birth))
    wait_until(lambda: _is_ready(server) or not runs(server.note), _START_S)
    if not runs(server.note):
        raise ServiceError(f"{name} ended while it was starting{tail(log)}")
    if not _is_ready(server):
        server.stop()
        raise ServiceError(f"{name} was not ready within {_START_S:.0f} s{tail(log)}")
    return server


def _is_ready(server: Server) -> bool:
    with contextlib.suppress(OSError):
        address = f"{server.url}/-/ready"
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == HTTPStatus.OK)
    return False


def main() -> None:
    """Say which programs are missing and how to install them; exits 1 if any is."""
    missing = missing_programs()
    if missing:
        sys.stderr.write(f"not installed: {', '.join(missing)}; {HOW_TO_INSTALL}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
