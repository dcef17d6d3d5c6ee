"""``streamwatch incidents``: list, show and acknowledge incidents."""

import getpass
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy import Engine

from streamwatch.adapters.acknowledging import Outcome, acknowledge
from streamwatch.adapters.alertmanager import Alertmanager
from streamwatch.adapters.kafka.acknowledged import publish_acknowledgements
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.acknowledgements import acknowledgements_of
from streamwatch.adapters.sql.incidents import find_incident, journey_query, list_incidents
from streamwatch.adapters.sql.migrations import check_migrated
from streamwatch.cli.database import database_option, opened, written_time
from streamwatch.cli.diagnosis_text import in_words
from streamwatch.cli.incident_table import band, incident_table, number
from streamwatch.cli.output import FINDINGS, OK, json_option, print_json, settings_option
from streamwatch.domain.acknowledgements import (
    KINDS,
    LONGEST_NOTE,
    MEANING,
    Acknowledgement,
    AcknowledgementKind,
)
from streamwatch.domain.incidents import Incident


@click.group(
    epilog="\b\nExamples:\n"
    "  streamwatch incidents list --open\n"
    "  streamwatch incidents show 'shop-003/widget-event/mean.height/all/day/low@2026-03-01'"
)
def command() -> None:
    """List, show and acknowledge incidents: lasting departures of a shop from its own normal."""


@command.command(
    "list",
    epilog="\b\nExamples:\n"
    "  streamwatch incidents list --open\n"
    "  streamwatch incidents list --shop shop-003 --json",
)
@click.option("--open", "only_open", is_flag=True, help="Only those that still last.")
@click.option("--shop", default=None, help="Only those of this shop.")
@database_option
@settings_option
@json_option
def list_(
    only_open: bool,
    shop: str | None,
    database: str | None,
    settings_file: str | None,
    as_json: bool,
) -> int:
    """List incidents, the newest first; what one covers stands under it.

    In JSON, `part_of` is the id of the incident that covers one.
    """
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        incidents = list_incidents(engine, only_open=only_open, shop=shop)
    if as_json:
        print_json({"incidents": [_plain(incident) for incident in incidents]})
        return OK
    if not incidents:
        click.echo("No open incident." if only_open else "No incident.")
        return OK
    click.echo(incident_table(incidents))
    click.echo("More about one: streamwatch incidents show ID", err=True)
    return OK


@command.command(
    epilog="\b\nExample:\n"
    "  streamwatch incidents show 'shop-003/widget-event/mean.height/all/day/low@2026-03-01'"
)
@click.argument("id_", metavar="ID")
@database_option
@settings_option
@json_option
def show(id_: str, database: str | None, settings_file: str | None, as_json: bool) -> int:
    """Show one incident: value, band, since when, why, and a query over the tap tables."""
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        incident = _found(engine, id_)
        query = journey_query(engine, incident)
        said = acknowledgements_of(engine, [incident.id])
    if as_json:
        plain = msgspec.to_builtins(said)
        print_json({"incident": _plain(incident), "query": query, "acknowledgements": plain})
        return OK
    key = incident.key
    until = "still open" if incident.until is None else f"until {written_time(incident.until)} UTC"
    lines = (
        ("incident", incident.id),
        ("shop", key.shop),
        ("KPI", f"{key.kpi} of {key.event_type}, segment {key.segment}, by the {key.span}"),
        ("value", f"{number(incident.value)} ({incident.direction}, {incident.score:+.1f} sd)"),
        (
            "expected",
            f"{number(incident.expected)} ({band(incident)})",
        ),
        ("since", f"{written_time(incident.since)} UTC, {until}, {incident.buckets} unusual"),
        ("reason", incident.reason),
        *_origin(incident),
        *(("said", _said(one)) for one in said),
    )
    for name, text in lines:
        click.echo(f"{name:<9} {text}")
    click.echo("\nThe shop's days at the stages, a week before and since (needs a tap):\n")
    click.echo(query)
    click.echo(f"\nnext: streamwatch diagnose '{incident.id}'", err=True)
    return OK


@command.command(
    epilog="\b\nExamples:\n"
    "  streamwatch incidents ack 'shop-003/purchase/volume/all/day/high@2026-03-01' \\\n"
    "      --as expected --note 'spring sale'\n\n"
    "\b\nWhat each kind says:\n" + "\n".join(f"  {kind:<13} {MEANING[kind]}" for kind in KINDS)
)
@click.argument("id_", metavar="ID")
@click.option("--as", "kind", type=click.Choice(KINDS), required=True, help="What it is.")
@click.option("--note", default="", help=f"Why, in at most {LONGEST_NOTE:,} characters.")
@click.option("--who", default=None, help="Who says so (default: the user of this machine).")
@database_option
@settings_option
@json_option
def ack(
    id_: str,
    kind: AcknowledgementKind,
    note: str,
    who: str | None,
    database: str | None,
    settings_file: str | None,
    as_json: bool,
) -> int:
    """Say what an incident is: stored, its alert silenced, its baseline repaired.

    The silence lasts until the incident closes, and needs `url` of `alertmanager`. Workers on
    Kafka repair the baseline. The exit code is 1 when it was stored but not all of the rest was
    done.
    """
    if len(note) > LONGEST_NOTE:
        raise click.UsageError(f"the note has more than {LONGEST_NOTE} characters")
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    alertmanager = settings.alertmanager
    with opened(database or settings.database, settings_file) as engine:
        check_migrated(engine)
        outcome = acknowledge(
            engine,
            Alertmanager(alertmanager.url) if alertmanager.url else None,
            _found(engine, id_),
            kind,
            note.strip(),
            who or getpass.getuser(),
            now_ms=time.time_ns() // 1_000_000,
            silence_ms=alertmanager.silence,
            tell=partial(publish_acknowledgements, settings.kafka),
        )
    _report(outcome, as_json=as_json)
    return FINDINGS if outcome.failed else OK


def _origin(incident: Incident) -> Iterator[tuple[str, str]]:
    """Where it came in, as far as it was looked for."""
    if incident.origin:
        yield "origin", f"{in_words(incident.origin)}; {incident.origin_reason}"
    if incident.hypothesis:
        yield "", f"it looks like {incident.hypothesis}"


def _report(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.to_builtins(outcome))
        return
    for sentence in outcome.done:
        click.echo(sentence)
    for sentence in outcome.failed:
        click.echo(sentence, err=True)


def _found(engine: Engine, id_: str) -> Incident:
    incident = find_incident(engine, id_)
    if incident is None:
        raise click.UsageError(
            f"there is no incident {id_}; all of them: streamwatch incidents list"
        )
    return incident


def _said(one: Acknowledgement) -> str:
    note = f": {one.note}" if one.note else ""
    return f"{one.kind} by {one.who}, {written_time(one.at)} UTC{note}"


def _plain(incident: Incident) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(incident)
    return plain
