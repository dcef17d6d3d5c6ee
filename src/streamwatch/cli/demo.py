"""``streamwatch demo``: the whole story on one machine, with faults injected and found."""

import contextlib
import datetime as dt
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from sqlalchemy import Engine

from streamwatch.adapters.local.kafka import kafka_available, start_kafka
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.cli.output import FINDINGS, OK, console, json_option, print_json, progress
from streamwatch.demo.folder import claimed
from streamwatch.demo.live import (
    free_port,
    prepare_topics,
    running_worker,
    send,
    wait_until_read,
)
from streamwatch.demo.offline import run_offline
from streamwatch.demo.report import found_incidents, injected_faults, print_report
from streamwatch.demo.story import (
    HISTORY_DAYS,
    LIVE_DAYS,
    SHOPS,
    faults,
    fleet_settings,
    labels_file,
    write_configuration,
)
from streamwatch.errors import ServiceError
from streamwatch.simulation.fleet import FleetSettings
from streamwatch.simulation.simulate import SimulatedEvent, simulate

DAY_MS = 86_400_000
LIVE_SECONDS_A_DAY = 4

_EPILOG = """\b
Examples:
  streamwatch demo
  streamwatch demo --no-broker          without Kafka, through the embedded pipeline
  streamwatch demo --no-stay            end at once when the story is told
  streamwatch demo --json               what was found, for machines"""


@click.command(epilog=_EPILOG)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".local/demo"),
    show_default=True,
    help="Where everything of the demonstration is kept; emptied first.",
)
@click.option(
    "--broker/--no-broker",
    default=None,
    help="On real Kafka, or without one. Default: Kafka, if Docker or Java and Maven are there.",
)
@click.option(
    "--stay/--no-stay",
    default=None,
    help="Keep broker, worker and /metrics until Ctrl-C. Default: on a terminal.",
)
@json_option
def command(folder: Path, broker: bool | None, stay: bool | None, as_json: bool) -> int:
    """Tell the whole story on one machine: history, faults, incidents, and the stage to blame.

    Starts Kafka, a worker and a SQLite database; sends eight weeks of simulated history of a
    fleet of shops, then a live part in which a client sends inches, another one falls silent,
    and one of our own stages breaks. Shows what was found, and where it came in. Takes about
    two minutes. What it starts, it stops; all that it makes is in one folder, but for Kafka's
    programs, which are kept in a folder `jars` beside it for the next time. The exit code is 1
    if a fault was not found.
    """
    jars = folder.parent / "jars"
    missing = kafka_available(jars) if broker is None or broker else None
    if missing is not None and broker:
        raise ServiceError(missing)
    with _ended_politely(), claimed(folder):
        if missing is not None:
            _say(f"No Kafka here. {missing}")
            _say("So the same story runs through the embedded pipeline, without a broker.")
        on_kafka = broker is not False and missing is None
        stays = on_kafka and (sys.stderr.isatty() if stay is None else stay)
        return _tell(folder, jars, on_kafka=on_kafka, stays=stays, as_json=as_json)


def _tell(folder: Path, jars: Path, *, on_kafka: bool, stays: bool, as_json: bool) -> int:
    begun = time.monotonic()
    fleet = fleet_settings(dt.datetime.now(dt.UTC).date())
    live_ms = fleet.start_ms + HISTORY_DAYS * DAY_MS
    events = list(simulate(fleet, faults()))
    days = f"{HISTORY_DAYS} days of history and {LIVE_DAYS} live"
    _say(f"simulated: {SHOPS} shops, {days}, {len(events):,} events")
    engine = create_engine_for(f"sqlite:///{folder}/demo.db")
    upgrade(engine)
    with contextlib.ExitStack() as running:
        running.callback(engine.dispose)
        if on_kafka:
            port = free_port()
            metrics = f"http://127.0.0.1:{port}/metrics"
            _on_kafka(events, fleet, folder, jars, port, running)
        else:
            metrics = None
            settings_file = write_configuration(folder, fleet, "localhost:9092", 0)
            _offline(events, folder, settings_file, engine)
        _say(f"done after {time.monotonic() - begun:.0f} s\n")
        found = found_incidents(engine, live_ms)
        injected = injected_faults(folder, found)
        if as_json:
            print_json(
                {
                    "faults": injected,
                    "incidents": found,
                    "database": f"{folder}/demo.db",
                    "metrics": metrics if stays else None,
                }
            )
        else:
            print_report(console(), engine, folder, found)
            _print_addresses(folder, metrics, stays=stays)
        if stays:
            _say("\nBroker and worker still run. Ctrl-C stops them all.")
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
            _say("stopping")
    return FINDINGS if any(one.incident is None for one in injected) else OK


def _on_kafka(
    events: Sequence[SimulatedEvent],
    fleet: FleetSettings,
    folder: Path,
    jars: Path,
    metrics_port: int,
    running: contextlib.ExitStack,
) -> None:
    """History as fast as it goes, then the live part, a day in a few seconds."""
    broker = start_kafka(folder, progress=_say, jars=jars)
    running.callback(broker.stop)
    settings_file = write_configuration(folder, fleet, broker.bootstrap, metrics_port)
    settings = prepare_topics(settings_file)
    worker = running.enter_context(running_worker(folder, settings_file, labels_file(folder)))
    live_ms = fleet.start_ms + HISTORY_DAYS * DAY_MS
    history = [one for one in events if one.arrived_ms < live_ms]
    live = events[len(history) :]
    with _bar("history into Kafka", len(history)) as told:
        send(history, broker.bootstrap, None, lambda done: told(done.sent.total()))
    with _bar("the worker learns", len(history)) as told:
        wait_until_read(settings, worker, told)
    with _bar(f"live, a day in {LIVE_SECONDS_A_DAY} s", len(live)) as told:
        speed = DAY_MS / 1000 / LIVE_SECONDS_A_DAY
        send(live, broker.bootstrap, speed, lambda done: told(done.sent.total()))
    with _bar("the worker judges", len(events)) as told:
        wait_until_read(settings, worker, told)


def _offline(
    events: Sequence[SimulatedEvent], folder: Path, settings_file: Path, engine: Engine
) -> None:
    with _bar("through the pipeline", len(events)) as told, contextlib.chdir(folder):
        run_offline(events, Path(settings_file.name), Path(labels_file(folder).name), engine, told)


@contextlib.contextmanager
def _ended_politely() -> Iterator[None]:
    """SIGTERM and a closed terminal end the demonstration as Ctrl-C does: tidied up."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    for one in before:
        signal.signal(one, signal.default_int_handler)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def _bar(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, a line before and after elsewhere."""
    begun = time.monotonic()
    with progress() as bar:
        task = bar.add_task(name, total=total)
        yield lambda done: bar.update(task, completed=done)
    _say(f"{name}: {time.monotonic() - begun:.1f} s")


def _print_addresses(folder: Path, metrics: str | None, *, stays: bool) -> None:
    place = shlex.quote(str(folder))
    click.echo(f"\nSQL      sqlite3 {place}/demo.db      (tables: docs/tables.md)")
    click.echo(f"CLI      cd {place} && streamwatch incidents list --open")
    if metrics is not None:
        click.echo(f"metrics  {metrics if stays else 'with --stay, as long as the worker runs'}")
        click.echo(f"log      {place}/worker.log")
    click.echo(f"all gone rm -r {place}")


def _say(text: str) -> None:
    click.echo(text, err=True)
