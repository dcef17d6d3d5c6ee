"""``streamwatch topics``: create or check the Kafka topics."""

import os
from pathlib import Path

import click
from rich.table import Table

from streamwatch.adapters.kafka.topic_check import check_topics
from streamwatch.adapters.kafka.topics import create_topics
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.cli.output import (
    FINDINGS,
    OK,
    console,
    json_option,
    print_json,
    settings_option,
)
from streamwatch.domain.settings import Settings


@click.group(
    epilog="\b\nExamples:\n"
    "  streamwatch topics create\n"
    "  streamwatch topics create --partitions 24\n"
    "  STREAMWATCH_KAFKA_BOOTSTRAP=kafka:9092 streamwatch topics check --json"
)
def command() -> None:
    """Create or check the Kafka topics that streamwatch reads and writes."""


@command.command(
    epilog="\b\nExamples:\n  streamwatch topics create\n  streamwatch topics create --partitions 24"
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    default=None,
    help="Of each source and of the readings (default: kafka.partitions of the settings).",
)
@settings_option
@json_option
def create(partitions: int | None, settings_file: str | None, as_json: bool) -> int:
    """Create the topics that are missing; those that exist stay as they are.

    There can be no more workers than partitions, and a topic's partitions are best never
    changed, so choose more than the workers of today.
    """
    settings = _settings(settings_file)
    topics = create_topics(settings, partitions)
    if as_json:
        print_json({"bootstrap": settings.kafka.bootstrap, "topics": topics})
        return OK
    table = Table("topic", "partitions", "")
    for one in topics:
        table.add_row(one.topic, str(one.partitions), "created" if one.created else "was there")
    console().print(table)
    click.echo("next: streamwatch replay FILE, or streamwatch worker", err=True)
    return OK


@command.command(
    epilog="\b\nExamples:\n  streamwatch topics check\n  streamwatch topics check --json"
)
@settings_option
@json_option
def check(settings_file: str | None, as_json: bool) -> int:
    """Check that all topics are there and lose no records; the exit code is 1 if not."""
    settings = _settings(settings_file)
    findings = check_topics(settings)
    if as_json:
        print_json({"bootstrap": settings.kafka.bootstrap, "findings": findings})
    elif findings:
        for one in findings:
            click.echo(f"{one.level}: {one.topic} {one.text}")
    else:
        click.echo(f"All topics at {settings.kafka.bootstrap} are there and right.")
    return FINDINGS if findings else OK


def _settings(file: str | None) -> Settings:
    return load_settings(Path(file) if file else None, os.environ)
