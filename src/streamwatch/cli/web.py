"""``streamwatch web``: serve the pages and the JSON API."""

import logging.config
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path

import click
from msgspec.structs import replace
from sqlalchemy import Engine

from streamwatch.adapters.acknowledging import keep_silences
from streamwatch.adapters.alertmanager import Silencer
from streamwatch.adapters.logs import logging_config
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import check_migrated
from streamwatch.cli.database import database_option
from streamwatch.cli.output import OK, json_option, print_json, settings_option
from streamwatch.errors import ConfigurationError, StreamwatchError

SILENCES_SECONDS = 60
"""How often silences are made to be as they should."""

_log = logging.getLogger(__name__)

_EPILOG = """\b
Examples:
  streamwatch web
  streamwatch web --port 0 --database sqlite:///streamwatch.db
  STREAMWATCH_WEB_TOKEN=… STREAMWATCH_WEB_HOST=0.0.0.0 streamwatch web

On this machine everybody may read. Beyond it, reading needs STREAMWATCH_WEB_TOKEN or a proxy
that names the user (`user_header` of `web`). Acknowledging needs STREAMWATCH_WEB_WRITE_TOKEN,
or a user among the `writers`; on a terminal without either, a token is made and shown.
Stop with Ctrl-C or SIGTERM."""


@click.command(epilog=_EPILOG)
@click.option("--host", default=None, help="Address to listen on (default: `host` of `web`).")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=None, help="Port; 0 for any free one."
)
@database_option
@settings_option
@json_option
def command(
    host: str | None,
    port: int | None,
    database: str | None,
    settings_file: str | None,
    as_json: bool,
) -> int:
    """Serve the pages: what is wrong now, each shop, each incident; and the JSON API."""
    try:
        from streamwatch.adapters.web.assembly import assemble_site  # noqa: PLC0415
        from streamwatch.adapters.web.server import serve_site  # noqa: PLC0415  an extra
        from streamwatch.adapters.web.tokens import access_of  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the pages need {error.name}, which is not installed; "
            "run: pip install 'streamwatch[web]'"
        ) from error
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    web = settings.web
    web = replace(web, host=host or web.host, port=web.port if port is None else port)
    access = access_of(web, os.environ)
    if not access.write_token and not access.user_header and sys.stderr.isatty():
        access = replace(access, write_token=secrets.token_hex(16))
        click.echo(f"to acknowledge, sign in with this token: {access.write_token}", err=True)
    logging.config.dictConfig(logging_config("info"))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    engine = create_engine_for(database or settings.database)
    check_migrated(engine)

    site = assemble_site(settings, engine, access, _now_ms)
    server = serve_site(site, web.host, web.port)
    shown = f"[{web.host}]" if ":" in web.host else web.host
    address = f"http://{shown}:{server.port}/"
    if as_json:
        print_json({"address": address})
    click.echo(f"pages on {address}", err=True)
    stopped = _stopped_by_signals()
    try:
        while not stopped.wait(SILENCES_SECONDS):
            if site.silencer is not None:
                _keep(engine, site.silencer, site.silence_ms)
    finally:
        server.stop()
        engine.dispose()
    return OK


def _keep(engine: Engine, silencer: Silencer, silence_ms: int) -> None:
    try:
        keep_silences(engine, silencer, now_ms=_now_ms(), silence_ms=silence_ms)
    except StreamwatchError as error:
        _log.warning("silences are not kept, tried again in a minute: %s", error)


def _stopped_by_signals() -> threading.Event:
    stopped = threading.Event()

    def stop(*_: object) -> None:
        stopped.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    return stopped


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
