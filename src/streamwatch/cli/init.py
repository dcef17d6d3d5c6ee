"""``streamwatch init``: a proposed configuration from a file or a topic."""

import os
import secrets
import shlex
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from streamwatch.adapters.files.opening import name_of
from streamwatch.adapters.files.reader import FORMATS, Format
from streamwatch.adapters.files.routes import Routes, load_routes, to_topic
from streamwatch.adapters.files.row_lines import compile_row
from streamwatch.adapters.formats.registry import load_auth
from streamwatch.adapters.samples import sample_file
from streamwatch.adapters.settings.loading import DEFAULT_FILE, load_settings
from streamwatch.cli.output import OK, json_option, print_json, settings_option
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.settings import KafkaSettings
from streamwatch.errors import ConfigurationError
from streamwatch.onboarding.draft import Given
from streamwatch.onboarding.proposal import Proposal
from streamwatch.onboarding.propose import propose
from streamwatch.onboarding.sample import Sample
from streamwatch.onboarding.text import routes_text, settings_text
from streamwatch.onboarding.trial import Trial, tried

ROUTES = "routes.yaml"
EVER_MS = 1 << 50

_EPILOG = """\b
Examples:
  streamwatch init orders.csv
  streamwatch init events.jsonl --event widget-event --shop acme --out acme.yaml
  streamwatch init --topic acme.orders --bootstrap kafka:9092
  streamwatch init --topic acme.orders --bootstrap kafka:9092 --registry http://registry:8081

The file is looked at, nothing else is changed. Read what was written: each guess has its
reason beside it, and the lines that begin with `Look at this` need you."""


@click.command(epilog=_EPILOG)
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--topic", default=None, help="A Kafka topic to look at; with FILE, its topic.")
@click.option("--bootstrap", default=None, metavar="HOST:PORT", help="Else as configured.")
@click.option("--registry", default=None, metavar="URL", help="Its schema registry, likewise.")
@click.option(
    "--event", type=click.Choice(sorted(EVENT_TYPES)), default=None, help="Else told by the fields."
)
@click.option("--shop", default=None, help="The shop that sends all records, if they say none.")
@click.option("--currency", default=None, help="The currency of all prices, likewise.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="auto", help="Told by the file's name."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    help="Where to write.",
)
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@settings_option
@json_option
def command(
    file: str | None,
    topic: str | None,
    bootstrap: str | None,
    registry: str | None,
    event: str | None,
    shop: str | None,
    currency: str | None,
    form: str,
    out: Path,
    force: bool,
    settings_file: str | None,
    as_json: bool,
) -> int:
    """Look at FILE (JSON lines, CSV or Parquet) or at a topic, and propose a configuration.

    Writes streamwatch.yaml with the event type, where each field stands, units, rules,
    segments and currencies, and the statistics behind each; beside it a routes file, if the
    lines need one.
    """
    kafka = _broker(settings_file, bootstrap, registry) if file is None else KafkaSettings()
    samples, given, name = _looked_at(file, topic, kafka, cast("Format", form))
    given = msgspec.structs.replace(given, event=event, shop=shop, currency=currency)
    proposal = propose(name, samples, given)
    routes_file = out.with_name(ROUTES)
    texts = {out: settings_text(proposal, None if file else kafka)}
    if proposal.needs_routes:
        texts[routes_file] = routes_text(proposal)
    _check_free(texts, force=force)
    trials = _tried(texts, samples, file, routes_file if proposal.needs_routes else None)
    out.parent.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    following = _next(file, out, routes_file if proposal.needs_routes else None)
    if as_json:
        print_json(_answer(proposal, trials, texts, following))
    else:
        _print(proposal, trials, texts, following)
    return OK


def _broker(
    settings_file: str | None, bootstrap: str | None, registry: str | None
) -> KafkaSettings:
    """The broker as configured, with what the command line says over it."""
    kafka = load_settings(Path(settings_file) if settings_file else None, os.environ).kafka
    return msgspec.structs.replace(
        kafka,
        bootstrap=bootstrap or kafka.bootstrap,
        schema_registry=registry or kafka.schema_registry,
    )


def _looked_at(
    file: str | None, topic: str | None, kafka: KafkaSettings, form: Format
) -> tuple[dict[str, Sample], Given, str]:
    """The samples, what they say beforehand, and what they are called.

    Raises:
        ConfigurationError: the file cannot be read, or neither file nor topic is named.
        BrokerError: Kafka does not answer, or has no such topic.
    """
    if file is not None:
        return sample_file(file, form), Given(topic=topic), name_of(file)
    if topic is None:
        raise ConfigurationError(
            "name what to look at: streamwatch init FILE, or --topic NAME --bootstrap HOST:PORT"
        )
    from streamwatch.adapters.kafka.sample import sample_topic  # noqa: PLC0415  # slow to import

    found = sample_topic(kafka, topic, load_auth(os.environ))
    return {topic: found.sample}, Given(form=found.form, can_number=False), topic


def _check_free(texts: dict[Path, str], *, force: bool) -> None:
    there = [str(path) for path in texts if path.exists()]
    if there and not force:
        raise ConfigurationError(
            f"{' and '.join(there)} would be overwritten: add --force, or --out with another name"
        )


def _tried(
    texts: dict[Path, str], samples: dict[str, Sample], file: str | None, routes_file: Path | None
) -> list[Trial]:
    """What the pipeline says of the sample, with what is about to be written."""
    with tempfile.TemporaryDirectory() as folder:
        written = {path: Path(folder) / path.name for path in texts}
        for path, text in texts.items():
            written[path].write_text(text, encoding="utf-8")
        settings = load_settings(written[next(iter(texts))], {})
        routes = None if routes_file is None else load_routes(str(written[routes_file]))
    if file is None:  # partitions were read one after the other
        settings = msgspec.structs.replace(settings, horizon=EVER_MS)
    now, key = time.time_ns() // 1_000_000, secrets.token_bytes(32)
    values: dict[str, list[bytes]] = {source.topic: [] for source in settings.sources}
    for topic, sample in samples.items():
        to_line = compile_row(routes or _routes_of(topic, settings.sources[0].topic), str(file))
        for number, row in enumerate(sample.rows):
            line = to_line(dict(row), number)
            values[line.topic].append(line.value or b"")
    return [tried(settings, topic, found, now, key) for topic, found in values.items()]


def _routes_of(topic: str, only: str) -> Routes:
    return to_topic(topic or only)


def _next(file: str | None, out: Path, routes_file: Path | None) -> str:
    options = [] if out == DEFAULT_FILE else ["--settings", str(out)]
    if file is None:
        return shlex.join(["streamwatch", "topics", "create", *options])
    routes = [] if routes_file is None else ["--routes", str(routes_file)]
    return shlex.join(["streamwatch", "watch", file, *routes, *options])


def _answer(
    proposal: Proposal, trials: list[Trial], texts: dict[Path, str], following: str
) -> dict[str, Any]:
    return {
        "proposal": proposal,
        "trials": trials,
        "written": [str(path) for path in texts],
        "next": following,
    }


def _print(proposal: Proposal, trials: list[Trial], texts: dict[Path, str], following: str) -> None:
    for source in proposal.sources:
        click.echo(f"{source.topic}: {source.event}, since {source.event_why}")
        for field in source.fields:
            stands = field.mapping.path or f"constant {field.mapping.constant}"
            click.echo(f"  {field.field:<17} {stands}  ({field.why})")
    for trial in trials:
        click.echo(
            f"tried on {trial.records:,} records of {trial.topic}: {trial.passed:,} pass"
            + "".join(f"; {count:,} {why}" for why, count in trial.refused.items())
        )
    for note in (note for source in proposal.sources for note in source.notes):
        click.echo(f"look at this: {note}")
    click.echo(f"wrote {' and '.join(map(str, texts))}", err=True)
    click.echo(f"next: {following}", err=True)
