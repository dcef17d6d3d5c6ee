"""Docker Compose, where a Docker engine really answers."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from streamwatch.adapters.local.carried import carried_file
from streamwatch.adapters.local.process import LOG_LINES_SHOWN
from streamwatch.errors import ServiceError

_QUESTION_S = 10.0
_START_S = 600.0  # the first start fetches the image


def why_no_engine() -> str | None:
    """Why Docker Compose cannot be used here, or ``None`` when it can."""
    docker = shutil.which("docker")
    if docker is None:
        return "there is no docker command"
    for question, missing in (
        (["info", "--format", "{{.ServerVersion}}"], "no Docker engine answers"),
        (["compose", "version"], "the docker command has no compose plugin"),
    ):
        try:
            answer = subprocess.run(  # noqa: S603
                [docker, *question],
                capture_output=True,
                text=True,
                check=False,
                timeout=_QUESTION_S,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return missing
        # An old client prints the error of its server and still exits with 0.
        if answer.returncode != 0 or not answer.stdout.strip():
            return missing
    return None


def start_service(
    service: str, folder: Path, port: int, environment: Mapping[str, str] | None = None
) -> None:
    """Create or start a service of docker-compose.yml and wait until it is healthy.

    Args:
        service: ``kafka`` or ``postgres``.
        folder: where the note of the service lies; it also names the Compose project.
        port: the port on 127.0.0.1.
        environment: more variables inside the container.

    Raises:
        ServiceError: Compose failed; with its message and the service's log.
    """
    override = folder / "compose.override.json"
    body = {"services": {service: {"environment": dict(environment or {})}}}
    override.write_bytes(msgspec.json.encode(body))
    answer = _compose(
        service, folder, port, "up", "--detach", "--wait", "--wait-timeout", "180", service
    )
    if answer.returncode != 0:
        log = service_log(service, folder, port)
        raise ServiceError(
            f"docker compose could not start {service}: {answer.stderr.strip()[-2000:]}\n{log}"
        )


def service_log(service: str, folder: Path, port: int) -> str:
    """The end of what a service printed."""
    return _compose(
        service, folder, port, "logs", "--no-color", "--tail", str(LOG_LINES_SHOWN), service
    ).stdout


def stop_service(service: str, folder: Path, port: int) -> None:
    """Stop a service; its data stays.

    Raises:
        ServiceError: Compose failed.
    """
    _must(service, _compose(service, folder, port, "stop", service))


def remove_service(service: str, folder: Path, port: int) -> None:
    """Stop a service and remove its container and data.

    Raises:
        ServiceError: Compose failed.
    """
    _must(service, _compose(service, folder, port, "down", "--volumes"))


def _must(service: str, answer: subprocess.CompletedProcess[str]) -> None:
    if answer.returncode != 0:
        raise ServiceError(f"docker compose could not stop {service}: {answer.stderr.strip()}")


def _compose(
    service: str, folder: Path, port: int, *arguments: str
) -> subprocess.CompletedProcess[str]:
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:10]
    override = folder / "compose.override.json"
    files = [carried_file("docker-compose.yml"), *([override] if override.exists() else [])]
    command = ["docker", "compose", "--project-name", f"streamwatch-{service}-{name}"]
    for file in files:
        command += ["--file", str(file)]
    try:
        return subprocess.run(  # noqa: S603
            [*command, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_START_S,
            stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                f"STREAMWATCH_{service.upper()}_PORT": str(port),
                "STREAMWATCH_POSTGRES_FSYNC": "off",
            },
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServiceError(f"docker compose does not answer: {error}") from error
