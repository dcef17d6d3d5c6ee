"""``streamwatch incidents``: list and show incidents."""

import math
from typing import Any

import click
import msgspec

from streamwatch.adapters.sql.incidents import find_incident, journey_query, list_incidents
from streamwatch.adapters.sql.migrations import check_migrated
from streamwatch.cli.aligned import aligned
from streamwatch.cli.database import database_option, opened, written_time
from streamwatch.cli.output import OK, json_option, print_json, settings_option
from streamwatch.domain.incidents import Incident


@click.group(
    epilog="\b\nExamples:\n"
    "  streamwatch incidents list --open\n"
    "  streamwatch incidents show 'shop-003/widget-event/mean.height/all/day/low@2026-03-01'"
)
def command() -> None:
    """List and show incidents: lasting departures of a shop from its own normal."""


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
    """List incidents, the newest first."""
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        incidents = list_incidents(engine, only_open=only_open, shop=shop)
    if as_json:
        print_json({"incidents": [_plain(incident) for incident in incidents]})
        return OK
    if not incidents:
        click.echo("No open incident." if only_open else "No incident.")
        return OK
    headings = ("since (UTC)", "status", "shop", "KPI", "segment", "value", "expected", "id")
    rows = [
        (
            written_time(incident.since),
            incident.status,
            incident.key.shop,
            f"{incident.key.event_type} {incident.key.kpi}",
            incident.key.segment,
            _number(incident.value),
            _band(incident),
            incident.id,
        )
        for incident in incidents
    ]
    click.echo(aligned(headings, rows))
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
        incident = find_incident(engine, id_)
        if incident is None:
            raise click.UsageError(
                f"there is no incident {id_}; all of them: streamwatch incidents list"
            )
        query = journey_query(engine, incident)
    if as_json:
        print_json({"incident": _plain(incident), "query": query})
        return OK
    key = incident.key
    until = "still open" if incident.until is None else f"until {written_time(incident.until)} UTC"
    lines = (
        ("incident", incident.id),
        ("shop", key.shop),
        ("KPI", f"{key.kpi} of {key.event_type}, segment {key.segment}, by the {key.span}"),
        ("value", f"{_number(incident.value)} ({incident.direction}, {incident.score:+.1f} sd)"),
        (
            "expected",
            f"{_number(incident.expected)} ({_band(incident)})",
        ),
        ("since", f"{written_time(incident.since)} UTC, {until}, {incident.buckets} unusual"),
        ("reason", incident.reason),
    )
    for name, text in lines:
        click.echo(f"{name:<9} {text}")
    click.echo("\nThe shop's days at the stages, a week before and since (needs a tap):\n")
    click.echo(query)
    return OK


def _plain(incident: Incident) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(incident)
    return plain


def _number(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:,.6g}"


def _band(incident: Incident) -> str:
    return f"{_number(incident.lower)} to {_number(incident.upper)}"
