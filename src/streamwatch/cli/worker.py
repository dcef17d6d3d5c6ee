"""``streamwatch worker``: one worker on Kafka."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from streamwatch.adapters.assembly import assemble
from streamwatch.adapters.clock import WallClock
from streamwatch.adapters.delivered import Delivered
from streamwatch.adapters.inspection import start_inspection
from streamwatch.adapters.interoperability import interoperable
from streamwatch.adapters.kafka.topic_check import check_topics
from streamwatch.adapters.kafka.topics import partition_counts
from streamwatch.adapters.prepared_store import prepared_store
from streamwatch.adapters.prometheus.collector import WorkerMetrics, installed_build
from streamwatch.adapters.prometheus.server import serve
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import check_migrated
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.webhook import Webhook, load_token
from streamwatch.cli.output import settings_option
from streamwatch.domain.messages import INCIDENTS_TOPIC, READINGS_TOPIC, VERDICTS_TOPIC, prefixed
from streamwatch.domain.settings import Settings
from streamwatch.errors import BrokerError
from streamwatch.runner.ports import Clock

_EPILOG = """\b
Examples:
  streamwatch db upgrade && streamwatch topics create
  streamwatch worker
  STREAMWATCH_METRICS_PORT=9465 streamwatch worker     a second one on this host

Several workers share the partitions; they need one PostgreSQL database.
Stop a worker with Ctrl-C or SIGTERM: it writes what it has and leaves the group."""


@click.command(epilog=_EPILOG)
@click.option(
    "--stage-bugs",
    "labels_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Labels of a simulation; the stage bugs in it are made to happen.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
)
@settings_option
def command(labels_file: Path | None, log_level: str, settings_file: str | None) -> None:
    """Run one worker: read the topics, write tap rows, verdicts and incidents, serve /metrics."""
    run(Path(settings_file) if settings_file else None, os.environ, log_level, labels_file)


def run(
    settings_file: Path | None,
    environment: Mapping[str, str],
    log_level: str,
    labels_file: Path | None = None,
    reach: Callable[[str], None] = lambda _point: None,
    clock: Clock | None = None,
) -> None:
    """Put a worker together and run it until it is told to stop.

    Args:
        settings_file: ``None`` for the default one.
        environment: the process's environment.
        log_level: what is logged.
        labels_file: a simulation's labels, for stage bugs.
        reach: told which point of a flush was reached; for tests that stop a worker there.
        clock: another one than the wall clock, for tests that set it.

    Raises:
        StreamwatchError: the configuration is wrong, or a service is not there.
    """
    assembly = assemble(settings_file, environment, labels_file)
    settings = assembly.settings
    engine = create_engine_for(settings.database)
    check_migrated(engine)
    _check_topics(settings)

    # Faust sets the event loop's policy when it is imported, so only now and not for --help.
    from streamwatch.adapters.kafka.run import run_worker  # noqa: PLC0415
    from streamwatch.adapters.kafka.worker import Worker  # noqa: PLC0415

    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, installed_build())
    store, salts = prepared_store(assembly, engine)
    inspection = start_inspection(assembly, engine, store, salts, metrics)
    with interoperable(settings, store) as (told, around):
        worker = Worker(
            settings=settings,
            sources=assembly.sources,
            inner={READINGS_TOPIC: assembly.judge, VERDICTS_TOPIC: assembly.fleet},
            judges=_judges(settings),
            store=told,
            clock=clock or WallClock(),
            metrics=metrics,
            webhook=_webhook(settings, engine, metrics, environment),
            inspect=inspection.look,
            reach=reach,
            around=around,
        )
        server = serve(
            registry,
            settings.metrics_host,
            settings.metrics_port,
            ready=lambda: metrics.is_ready and worker.owned.database.up,
            stuck=worker.watchdog.stuck,
        )
        click.echo(f"metrics on http://{settings.metrics_host}:{server.port}/metrics", err=True)
        run_worker(worker, log_level)


def _webhook(
    settings: Settings, engine: Engine, metrics: WorkerMetrics, environment: Mapping[str, str]
) -> Webhook | None:
    """Who posts incidents, if the settings have an address for it."""
    if not settings.webhook.url:
        return None
    topic = prefixed(INCIDENTS_TOPIC, settings.kafka.prefix)
    delivered = Delivered(SqlStore(engine), topic)
    return Webhook(settings.webhook, load_token(environment), delivered, metrics.posted)


def _check_topics(settings: Settings) -> None:
    """Refuse to start half: every topic must be there.

    Raises:
        BrokerError: the broker does not answer, or topics are missing.
    """
    errors = [finding for finding in check_topics(settings) if finding.level == "error"]
    missing = [finding.topic for finding in errors if finding.text.startswith("is missing")]
    texts = [f"{one.topic} {one.text}" for one in errors if one.topic not in missing]
    if missing:
        texts.append(f"missing topics: {', '.join(missing)}; run: streamwatch topics create")
    if texts:
        raise BrokerError("; ".join(texts))


def _judges(settings: Settings) -> int:
    """Partitions of the readings topic."""
    topic = prefixed(READINGS_TOPIC, settings.kafka.prefix)
    return partition_counts(settings.kafka, [topic])[topic]
