"""Incidents as a table: what an incident covers stands under it."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from streamwatch.cli.aligned import aligned
from streamwatch.cli.database import written_time
from streamwatch.domain.incidents import Incident

_HEADINGS = (
    "since (UTC)", "status", "shop", "KPI", "segment", "value", "expected", "origin", "id",
)  # fmt: skip


def incident_table(incidents: Sequence[Incident]) -> str:
    """A line for each incident; one that another of them covers stands under it, moved in."""
    rows = [
        (
            ("└ ".rjust(2 * depth) if depth else "") + written_time(incident.since),
            incident.status,
            incident.key.shop,
            f"{incident.key.event_type} {incident.key.kpi}",
            incident.key.segment,
            number(incident.value),
            band(incident),
            incident.origin,
            incident.id,
        )
        for depth, incident in _under_covers(incidents)
    ]
    return aligned(_HEADINGS, rows)


def number(value: float) -> str:
    """A KPI's value.

    >>> number(1234.5), number(float("nan"))
    ('1,234.5', 'unknown')
    """
    return "unknown" if math.isnan(value) else f"{value:,.6g}"


def band(incident: Incident) -> str:
    """The band in which the value was expected."""
    return f"{number(incident.lower)} to {number(incident.upper)}"


def _under_covers(incidents: Sequence[Incident]) -> Iterator[tuple[int, Incident]]:
    """How deep each stands, and the incident; in the order given apart from that."""
    listed = {incident.id for incident in incidents}
    covered = defaultdict(list)
    for incident in incidents:
        covered[incident.part_of if incident.part_of in listed else ""].append(incident)
    waiting = [(0, incident) for incident in reversed(covered[""])]
    while waiting:
        depth, incident = waiting.pop()
        yield depth, incident
        waiting += [(depth + 1, part) for part in reversed(covered[incident.id])]
