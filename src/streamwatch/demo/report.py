"""What the demonstration found, against what was injected."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from streamwatch.adapters.sql.engine import reading
from streamwatch.adapters.sql.incidents import journey_query, list_incidents
from streamwatch.cli.incidents_table import incidents_table, shown_number, shown_time
from streamwatch.demo.story import labels_file
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


def print_report(console: Console, engine: Engine, folder: Path, since_ms: int) -> int:
    """Print all; returns how many of the injected faults were not found."""
    incidents = found_incidents(engine, since_ms)
    console.print(incidents_table(incidents, "What was found (whole shops, by the day)"))
    truth = _main_labels(folder)
    missed = _print_truth(console, truth, incidents)
    for origin in ("normalise", "client"):
        example = _example(truth, incidents, origin)
        if example is not None:
            _print_journey(console, engine, example, origin)
    return missed


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


def _print_truth(console: Console, truth: Sequence[Label], incidents: Sequence[Incident]) -> int:
    table = Table(title="What was injected", title_justify="left")
    for name in ("fault", "shop", "KPI", "from (UTC)", "origin", "found"):
        table.add_column(name)
    missed = 0
    for label in truth:
        found = _incident_of(label, incidents) is not None
        missed += not found
        table.add_row(
            label.fault,
            label.shop,
            f"{label.event_type} {label.kpi}",
            shown_time(label.start_ms),
            label.origin,
            "yes" if found else "no",
        )
    console.print(table)
    return missed


def _example(truth: Sequence[Label], incidents: Sequence[Incident], origin: str) -> Incident | None:
    """An incident about a mean that has this origin, by the truth."""
    for label in truth:
        incident = _incident_of(label, incidents)
        if label.origin == origin and label.kpi == "mean.height" and incident is not None:
            return incident
    return None


def _print_journey(console: Console, engine: Engine, incident: Incident, origin: str) -> None:
    where = (
        "it came in at our own stage normalise: right before it, wrong behind it"
        if origin == "normalise"
        else "the client already sent it so: wrong from the first record on"
    )
    console.print(f"\n[bold]{incident.key.shop}, {incident.key.kpi}[/bold]: {where}")
    query = journey_query(engine, incident)
    console.print(f"\n{query}\n", highlight=False, markup=False, soft_wrap=True)
    with reading(engine) as connection:
        result = connection.execute(text(query.rstrip(";")))
        table = Table(*result.keys())
        for row in result:
            cells = [shown_number(one) if isinstance(one, float) else str(one) for one in row]
            table.add_row(*cells)
    console.print(table)
