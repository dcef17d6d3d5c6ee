"""``streamwatch demo``: the whole story on one machine, with faults injected and found."""

import contextlib
import datetime as dt
import shutil
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
from streamwatch.demo.live import (
    free_port,
    prepare_topics,
    running_worker,
    send,
    wait_until_read,
)
from streamwatch.demo.offline import run_offline
from streamwatch.demo.report import found_incidents, print_report
from streamwatch.demo.story import (
    HISTORY_DAYS,
    LIVE_DAYS,
    SHOPS,
    faults,
    fleet_settings,
    labels_file,
    write_configuration,
)
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
    two minutes. All that it makes is in one folder; what it starts, it stops.
    """
    begun = time.monotonic()
    jars = folder.parent / "jars"
    missing = kafka_available(jars) if broker is None or broker else None
    if missing is not None:
        _say(f"No Kafka here: {missing}")
        if broker:
            return 3
        _say("So the same story runs through the embedded pipeline, without a broker.")
    _clear(folder)
    fleet = fleet_settings(dt.datetime.now(dt.UTC).date())
    live_ms = fleet.start_ms + HISTORY_DAYS * DAY_MS
    folder.mkdir(parents=True)
    events = list(simulate(fleet, faults()))
    days = f"{HISTORY_DAYS} days of history and {LIVE_DAYS} live"
    _say(f"simulated: {SHOPS} shops, {days}, {len(events):,} events")
    engine = create_engine_for(f"sqlite:///{folder}/demo.db")
    upgrade(engine)
    with contextlib.ExitStack() as running:
        if broker is False or missing is not None:
            settings_file = write_configuration(folder, fleet, "localhost:9092", 0)
            _offline(events, folder, settings_file, engine)
            metrics = None
        else:
            port = free_port()
            metrics = f"http://127.0.0.1:{port}/metrics"
            _on_kafka(events, live_ms, folder, jars, port, running)
        _say(f"done after {time.monotonic() - begun:.0f} s\n")
        if as_json:
            found = found_incidents(engine, live_ms)
            print_json({"incidents": found, "database": f"{folder}/demo.db", "metrics": metrics})
            missed = 0
        else:
            missed = print_report(console(), engine, folder, live_ms)
            _print_addresses(folder, metrics)
        engine.dispose()
        if metrics is not None and (sys.stderr.isatty() if stay is None else stay):
            _say("Broker and worker still run. Ctrl-C stops them all.")
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    return FINDINGS if missed else OK


def _on_kafka(
    events: Sequence[SimulatedEvent],
    live_ms: int,
    folder: Path,
    jars: Path,
    metrics_port: int,
    running: contextlib.ExitStack,
) -> None:
    """History as fast as it goes, then the live part, a day in a few seconds."""
    broker = start_kafka(folder, progress=_say, jars=jars)
    running.callback(broker.stop)
    fleet = fleet_settings(dt.datetime.now(dt.UTC).date())
    settings_file = write_configuration(folder, fleet, broker.bootstrap, metrics_port)
    settings = prepare_topics(settings_file)
    worker = running.enter_context(running_worker(folder, settings_file, labels_file(folder)))
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


def _clear(folder: Path) -> None:
    """Remove what an earlier demonstration left; nothing else is ever in that folder."""
    marker = folder / "streamwatch.yaml"
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise click.UsageError(f"{folder} is not empty and no demonstration's; name another one")
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _bar(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, a line before and after elsewhere."""
    begun = time.monotonic()
    with progress() as bar:
        task = bar.add_task(name, total=total)
        yield lambda done: bar.update(task, completed=done)
    _say(f"{name}: {time.monotonic() - begun:.1f} s")


def _print_addresses(folder: Path, metrics: str | None) -> None:
    click.echo(f"\nSQL      sqlite3 {folder}/demo.db      (tables: docs/tables.md)")
    click.echo(f"CLI      cd {folder} && streamwatch incidents list --open")
    if metrics is not None:
        click.echo(f"metrics  {metrics}")
        click.echo(f"log      {folder}/worker.log")
    click.echo("all gone make clean")


def _say(text: str) -> None:
    click.echo(text, err=True)
