"""``streamwatch watch``: a file or standard input through the pipeline, without a broker."""

import os
import shlex
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

import click
from rich.table import Table

from streamwatch.adapters.assembly import assemble
from streamwatch.adapters.clock import WallClock
from streamwatch.adapters.embedded import EmbeddedPipeline, no_source
from streamwatch.adapters.files.identity import continues, file_id
from streamwatch.adapters.files.opening import check_readable, name_of
from streamwatch.adapters.files.reader import FORMATS, Format, read_file
from streamwatch.adapters.files.routes import Routes, load_routes
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.adapters.interoperability import interoperable
from streamwatch.adapters.prepared_store import freeze_opened, prepared_store
from streamwatch.adapters.sql.engine import create_engine_for, shown
from streamwatch.adapters.sql.incidents import list_incidents
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.cli.incidents_table import incidents_table
from streamwatch.cli.output import (
    FINDINGS,
    OK,
    console,
    json_option,
    print_json,
    progress,
    settings_option,
)
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.incidents import Incident
from streamwatch.domain.rows import IncidentRow, RejectRow
from streamwatch.errors import ConfigurationError
from streamwatch.runner.ports import Flush

_EPILOG = """\b
Examples:
  streamwatch simulate --shops 10 --days 70 --largest 2000 --fault inches@shop-002:63 \\
      --out events.jsonl --labels labels.csv
  streamwatch watch events.jsonl
  streamwatch watch purchases.csv --topic purchase
  streamwatch watch online_retail.csv.gz --routes routes.yaml --settings retail.yaml
  zcat events.jsonl.gz | streamwatch watch - --database sqlite:///trial.db

The exit code is 1 if incidents are open at the end."""


@click.command(epilog=_EPILOG)
@click.argument("file", metavar="FILE|-")
@click.option(
    "--topic", default=None, help="The topic of every line, if there are several sources."
)
@click.option(
    "--routes", "routes_file", default=None, metavar="FILE", help="Topics by content of each line."
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="auto", help="Told by the file's name."
)
@click.option("--database", default=None, metavar="URL", help="Goes over the configured one.")
@click.option(
    "--stage-bugs",
    "labels_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Labels of a simulation; the stage bugs in it are made to happen.",
)
@settings_option
@json_option
def command(
    file: str,
    topic: str | None,
    routes_file: str | None,
    form: str,
    database: str | None,
    labels_file: Path | None,
    settings_file: str | None,
    as_json: bool,
) -> int:
    """Take FILE (JSON lines, CSV or Parquet; - for standard input) through the pipeline.

    Tap rows, rejects, verdicts and incidents go into the database, which is made if it is not
    there. A file that was read before goes on where it ended.
    """
    path = Path(settings_file) if settings_file else None
    assembly = assemble(path, os.environ, labels_file, database)
    routes = load_routes(routes_file) if routes_file else None
    _check_topics(topic, routes_file, routes, assembly.sources)
    check_readable([file])
    engine = create_engine_for(assembly.settings.database)
    upgrade(engine)
    store, _ = prepared_store(assembly, engine)
    seen = _Seen()

    def committed(flush: Flush) -> None:
        seen.committed(flush)
        freeze_opened(flush, assembly.recorder, engine)

    with interoperable(assembly.settings, store) as (told, _):
        pipeline = EmbeddedPipeline(
            sources=assembly.sources,
            judge=assembly.judge,
            fleet=assembly.fleet,
            store=told,
            clock=WallClock(),
            file_id=file_id(file),
            continues=lambda earlier: continues(file, earlier),
            committed=committed,
        )
        only = next(iter(assembly.sources)) if len(assembly.sources) == 1 else None
        lines = read_file(
            file, form=cast("Format", form), topic=topic, routes=routes, otherwise=only
        )
        begun = time.monotonic()
        pipeline.feed(_counted(lines), name_of(file))
        counts = pipeline.finish()
    seconds = time.monotonic() - begun
    seen.incidents.update({one.id: one for one in list_incidents(engine, only_open=True)})
    engine.dispose()
    if as_json:
        print_json(_answer(shown(engine.url), counts, seen, seconds))
    else:
        _print(counts, seen, seconds)
        _advise(counts, seen, options=_options(database, settings_file))
    return FINDINGS if seen.open_incidents() else OK


def _check_topics(
    topic: str | None, routes_file: str | None, routes: Routes | None, sources: Iterable[str]
) -> None:
    """Refuse topics that no source has before anything is read.

    Raises:
        ConfigurationError: names the topic, and the nearest source.
    """
    named = [(f"--topic {topic}", topic)] if topic is not None else []
    if routes is not None and topic is None:
        named = [(str(routes_file), route.topic) for route in routes.routes]
    for where, name in named:
        if name not in sources:
            raise ConfigurationError(f"{where}: {no_source(name, sources)}")


class _Seen:
    """What the flushes of this run held that is worth telling, and the open incidents."""

    def __init__(self) -> None:
        self.rejects: Counter[tuple[str, str, str, str]] = Counter()
        self.incidents: dict[str, Incident] = {}

    def committed(self, flush: Flush) -> None:
        for row in flush.rows:
            if isinstance(row, RejectRow):
                self.rejects[row.topic, row.stage, row.reason, row.field] += 1
            elif isinstance(row, IncidentRow):
                self.incidents[row.incident.id] = row.incident

    def open_incidents(self) -> list[Incident]:
        found = [one for one in self.incidents.values() if one.status == "open"]
        return sorted(found, key=lambda one: -abs(one.score))


def _counted(lines: Iterable[SourceLine]) -> Iterator[SourceLine]:
    """The lines, with a progress bar on a terminal."""
    with progress() as bar:
        task = bar.add_task("lines", total=None)
        for number, line in enumerate(lines, start=1):
            yield line
            if number % 5_000 == 0:
                bar.update(task, completed=number)


def _answer(
    database: str, counts: Mapping[str, Accounting], seen: _Seen, seconds: float
) -> dict[str, object]:
    return {
        "database": database,
        "seconds": round(seconds, 3),
        "accounting": {
            topic: {
                **{name: getattr(count, name) for name in count.__struct_fields__},
                "adds_up": count.adds_up,
            }
            for topic, count in counts.items()
        },
        "rejects": [
            {"topic": topic, "stage": stage, "reason": reason, "field": field, "count": count}
            for (topic, stage, reason, field), count in seen.rejects.most_common()
        ],
        "incidents": list(seen.incidents.values()),
    }


def _print(counts: Mapping[str, Accounting], seen: _Seen, seconds: float) -> None:
    table = Table("topic", title="where every line went", title_justify="left")
    for name in ("lines", "counted", "rejected", "dead letters", "seen before"):
        table.add_column(name, justify="right")
    for topic, count in counts.items():
        ends = (count.aggregated, count.rejected, count.dead_lettered, count.duplicates)
        table.add_row(topic, f"{count.records_in:,}", *(f"{end:,}" for end in ends))
    console().print(table)
    if seen.rejects:
        reasons = Table("topic", "stage", "reason", "field", title="why", title_justify="left")
        reasons.add_column("records", justify="right")
        for why, records in seen.rejects.most_common(10):
            reasons.add_row(*why, f"{records:,}")
        console().print(reasons)
    found = seen.open_incidents()
    closed = len(seen.incidents) - len(found)
    if found:
        console().print(incidents_table(found[:20]))
    total = sum(count.records_in for count in counts.values())
    rate = total / max(seconds, 1e-3)
    click.echo(f"{total:,} lines in {seconds:.1f} s ({rate:,.0f}/s)", err=True)
    click.echo(f"incidents: {len(found)} open, {closed} closed in this run", err=True)


def _advise(counts: Mapping[str, Accounting], seen: _Seen, options: str) -> None:
    """What to do next."""
    known = sum(count.duplicates for count in counts.values())
    if known:
        click.echo(
            f"{known:,} lines had been read before and were not counted again; to read them "
            "anew, take another database: --database sqlite:///again.db",
            err=True,
        )
    elif not any(count.records_in for count in counts.values()):
        click.echo("there was no line to read", err=True)
    late = sum(count for why, count in seen.rejects.items() if "too-late" in why)
    if late:
        click.echo(
            f"{late:,} lines are older than their shop's newest by more than `horizon`; read "
            "history from the oldest on, or into a database of its own",
            err=True,
        )
    click.echo(f"next: streamwatch incidents list{options}", err=True)


def _options(database: str | None, settings_file: str | None) -> str:
    """The options by which the next command finds the same database.

    >>> _options(None, "my retail.yaml"), _options(None, None)
    (" --settings 'my retail.yaml'", '')
    """
    if database is not None:
        # An address may hold a password, which is not to be shown.
        return " --database " + ("URL" if "@" in database else shlex.quote(database))
    return f" --settings {shlex.quote(settings_file)}" if settings_file else ""
