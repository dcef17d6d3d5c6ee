"""What the demonstration found, against what was injected."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.incidents import journey_query, list_incidents
from streamwatch.cli.diagnosis_text import in_words
from streamwatch.cli.incidents_table import incidents_table, shown_number, shown_time
from streamwatch.demo.story import labels_file
from streamwatch.diagnosis.origin import CLIENT, UNDETERMINED
from streamwatch.domain.incidents import Incident
from streamwatch.simulation.labels import Label, read_labels

DAY_MS = 86_400_000


def found_incidents(engine: Engine, since_ms: int) -> list[Incident]:
    """Incidents of whole shops that began in the live part, the worst first."""
    found = [
        one
        for one in list_incidents(engine)
        if one.key.segment == "all" and one.since >= since_ms and one.key.span == "day"
    ]
    return sorted(found, key=lambda one: -abs(one.score))


class Injected(msgspec.Struct, frozen=True):
    """A fault that was injected, and what was found of it.

    Attributes:
        origin: where it was injected.
        incident: the id of the incident that tells of it, if any.
        found_origin: where the diagnosis says that it came in; empty without an incident.
    """

    fault: str
    shop: str
    event_type: str
    kpi: str
    start: int
    origin: str
    incident: str | None
    found_origin: str


def injected_faults(folder: Path, incidents: Sequence[Incident]) -> list[Injected]:
    """Every fault by the KPI that it moves most, with the incident that tells of it."""
    return [
        Injected(
            label.fault,
            label.shop,
            label.event_type,
            label.kpi,
            label.start_ms,
            label.origin,
            found.id if (found := _incident_of(label, incidents)) else None,
            found.origin if found else "",
        )
        for label in _main_labels(folder)
    ]


def print_report(
    console: Console, engine: Engine, folder: Path, incidents: Sequence[Incident]
) -> None:
    """What was found, what was injected, and two examples of where it came in."""
    console.print(incidents_table(incidents, "What was found (whole shops, by the day)"))
    _print_truth(console, injected_faults(folder, incidents))
    for ours in (True, False):
        example = _example(incidents, ours=ours)
        if example is not None:
            _print_journey(console, engine, example)


def _main_labels(folder: Path) -> list[Label]:
    """The first label of every fault."""
    first: dict[tuple[str, str], Label] = {}
    for _, label in read_labels(labels_file(folder)):
        first.setdefault((label.fault, label.shop), label)
    return list(first.values())


def _incident_of(label: Label, incidents: Sequence[Incident]) -> Incident | None:
    for incident in incidents:
        key = incident.key
        same = (key.shop, key.event_type, key.kpi) == (label.shop, label.event_type, label.kpi)
        if same and label.start_ms - DAY_MS <= incident.since < label.end_ms:
            return incident
    return None


def _print_truth(console: Console, truth: Sequence[Injected]) -> None:
    table = Table(title="What was injected", title_justify="left")
    for name in (
        "fault",
        "shop",
        "KPI",
        "from (UTC)",
        "origin",
        "found",
        "its origin by diagnosis",
    ):
        table.add_column(name)
    for one in truth:
        table.add_row(
            one.fault,
            one.shop,
            f"{one.event_type} {one.kpi}",
            shown_time(one.start),
            one.origin,
            "no" if one.incident is None else "yes",
            one.found_origin,
        )
    console.print(table)


def _example(incidents: Sequence[Incident], *, ours: bool) -> Incident | None:
    """The worst incident about a mean whose diagnosis names a stage of ours, or the client."""
    for incident in incidents:
        told = incident.origin not in ("", UNDETERMINED)
        if told and incident.key.kpi.startswith("mean.") and (incident.origin != CLIENT) == ours:
            return incident
    return None


def _print_journey(console: Console, engine: Engine, incident: Incident) -> None:
    """What the diagnosis says of an incident, and a query over the taps that shows it."""
    name = f"{incident.key.shop}, {incident.key.kpi}"
    console.print(f"\n[bold]{name}[/bold]: {in_words(incident.origin)}")
    for line in (incident.hypothesis, incident.origin_reason):
        if line:
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    query = journey_query(engine, incident)
    console.print(f"\n{query}\n", highlight=False, markup=False, soft_wrap=True)
    with reading(engine) as connection:
        result = connection.execute(text(query.rstrip(";")))
        table = Table(*result.keys())
        for row in result:
            cells = [shown_number(one) if isinstance(one, float) else str(one) for one in row]
            table.add_row(*cells)
    console.print(table)
