"""``python -m streamwatch.adapters.local ACTION SERVICE``: what make starts and stops things by."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from streamwatch.adapters.local.kafka import LocalKafka, known_kafka, running_kafka, start_kafka
from streamwatch.adapters.local.postgres import (
    LocalPostgres,
    known_postgres,
    running_postgres,
    start_postgres,
)
from streamwatch.errors import StreamwatchError

_Service = LocalKafka | LocalPostgres
_RUNNING: dict[str, Callable[[Path], _Service | None]] = {
    "kafka": running_kafka,
    "postgres": running_postgres,
}
_KNOWN: dict[str, Callable[[Path], _Service | None]] = {
    "kafka": known_kafka,
    "postgres": known_postgres,
}


@click.command(epilog="Example: python -m streamwatch.adapters.local start kafka --folder .local")
@click.argument("action", type=click.Choice(["start", "stop", "status", "remove"]))
@click.argument("service", type=click.Choice(["kafka", "postgres"]))
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".local"),
    show_default=True,
    help="Where the data, the log and the note about the process lie.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for machines.")
def local(action: str, service: str, folder: Path, as_json: bool) -> int:
    """Start, stop or remove Kafka or PostgreSQL on this machine.

    ``stop`` keeps the data, ``remove`` deletes it; ``status`` exits with 1 when it does not run.
    """
    if action == "start":
        running: _Service | None = _start(service, folder)
    elif action == "status":
        running = _RUNNING[service](folder)
    else:
        running = None
        known = _KNOWN[service](folder)
        if known is not None:
            known.remove() if action == "remove" else known.stop()
    address = _address(running)
    if as_json:
        answer = {"schema_version": 1, "service": service, "address": address}
        click.echo(msgspec.json.encode(answer).decode())
    else:
        click.echo(address if running is not None else f"{service} is not running")
    return 1 if action == "status" and running is None else 0


def _start(service: str, folder: Path) -> _Service:
    def tell(sentence: str) -> None:
        click.echo(sentence, err=True)

    if service == "kafka":
        return start_kafka(folder, progress=tell)
    return start_postgres(folder, progress=tell)


def _address(service: _Service | None) -> str | None:
    if service is None:
        return None
    return service.bootstrap if isinstance(service, LocalKafka) else service.url


def main() -> None:
    """Run the command line; exits 0 fine, 1 not running, 2 usage, 3 failure."""
    try:
        result = local.main(standalone_mode=False)
    except StreamwatchError as error:
        click.echo(f"streamwatch: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    sys.exit(result if isinstance(result, int) else 0)


if __name__ == "__main__":
    main()
