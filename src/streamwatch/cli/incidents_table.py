"""Incidents as a table for people."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from streamwatch.domain.incidents import Incident

WHOLE_FROM = 1_000
"""From here on a number is shown without decimals."""


def incidents_table(incidents: Iterable[Incident], title: str | None = None) -> Table:
    """Shop, KPI, value, expected band and since when, a row each."""
    table = Table(title=title, title_justify="left")
    for name in ("shop", "KPI", "segment", "status"):
        table.add_column(name)
    for name in ("value", "expected", "since (UTC)"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("origin")
    for incident in incidents:
        key = incident.key
        table.add_row(
            Text(key.shop),  # a name in brackets is no style
            f"{key.event_type} {key.kpi} by {key.span}",
            Text(key.segment),
            incident.status,
            shown_number(incident.value),
            f"{shown_number(incident.expected)} ({shown_band(incident)})",
            shown_time(incident.since),
            incident.origin,
        )
    return table


def shown_number(value: float) -> str:
    """A number with at most four digits that tell.

    >>> shown_number(12345.678), shown_number(171.237)
    ('12,346', '171.2')
    """
    if math.isnan(value):
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= WHOLE_FROM else f"{value:.4g}"


def shown_band(incident: Incident) -> str:
    """The expected band: ``165.1 to 173.0``."""
    return f"{shown_number(incident.lower)} to {shown_number(incident.upper)}"


def shown_time(milliseconds: int) -> str:
    """A time in UTC to the minute.

    >>> shown_time(1788256800500)
    '2026-09-01 10:00'
    """
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")
