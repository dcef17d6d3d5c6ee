"""Files that the wheel carries beside the code, and a checkout at its own place."""

from pathlib import Path

from streamwatch.errors import ServiceError

_IN_CHECKOUT = {"pom.xml": "dev/pom.xml", "docker-compose.yml": "docker-compose.yml"}


def carried_file(name: str) -> Path:
    """Where ``pom.xml`` or ``docker-compose.yml`` lies.

    Raises:
        ServiceError: neither the installed package nor the checkout has it.
    """
    here = Path(__file__).resolve()
    candidates = (here.with_name(name), here.parents[4] / _IN_CHECKOUT[name])
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ServiceError(f"{candidates[0]} is missing; install streamwatch again")
