"""The truth about faults, read from the lines of a label file."""

import csv
from collections.abc import Iterable
from datetime import datetime

import msgspec

from streamwatch.domain.findings import did_you_mean
from streamwatch.errors import ConfigurationError

COLUMNS = (
    "fault", "shop", "event_type", "kpi", "segment", "start", "end", "origin", "argument",
)  # fmt: skip
_NEEDED = COLUMNS[:7]


class Fault(msgspec.Struct, frozen=True):
    """One fault of one shop, and the KPIs that it moves.

    Attributes:
        kind: its name.
        start, end: event times from and before which, milliseconds since 1970 UTC.
        kpis: event type and KPI.
        origin: ``client`` or a stage; empty if the file does not say.
        argument: of the fault.
    """

    kind: str
    shop: str
    start: int
    end: int
    kpis: frozenset[tuple[str, str]]
    origin: str = ""
    argument: str = ""


def faults_of(lines: Iterable[str], name: str) -> list[Fault]:
    """The faults that the lines of a CSV file tell, in the order of their starts.

    A fault has a row for each KPI that it moves; rows of the same fault, shop, time, origin
    and argument are one fault.

    Args:
        lines: the file's lines; the first names the columns, as ``streamwatch simulate
            --labels`` writes them. Origin and argument may lack.
        name: the file's, for messages.

    Raises:
        ConfigurationError: the text begins with ``file:line:``.

    >>> rows = ["fault,shop,event_type,kpi,segment,start,end",
    ...         "drop,a,purchase,volume,all,2026-09-01T00:00:00Z,2026-09-02T00:00:00Z"]
    >>> [(fault.kind, fault.shop, fault.end - fault.start) for fault in faults_of(rows, "x.csv")]
    [('drop', 'a', 86400000)]
    """
    reader = csv.DictReader(lines)
    columns = reader.fieldnames or ()
    for column in _NEEDED:
        if column not in columns:
            raise ConfigurationError(
                f"{name}:1: no column `{column}`{did_you_mean(column, columns)}; "
                f"the columns are {','.join(COLUMNS)}"
            )
    found: dict[tuple[str, str, int, int, str, str], set[tuple[str, str]]] = {}
    try:
        for row in reader:
            place = f"{name}:{reader.line_num}"
            start, end = _moment(row["start"], place), _moment(row["end"], place)
            if end <= start:
                raise ConfigurationError(f"{place}: the fault ends before it starts")
            key = (
                row["fault"], row["shop"], start, end,
                row.get("origin") or "", row.get("argument") or "",
            )  # fmt: skip
            found.setdefault(key, set()).add((row["event_type"], row["kpi"]))
    except csv.Error as error:
        raise ConfigurationError(f"{name}:{reader.line_num}: {error}") from error
    faults = [
        Fault(kind, shop, start, end, frozenset(kpis), origin, argument)
        for (kind, shop, start, end, origin, argument), kpis in found.items()
    ]
    return sorted(faults, key=lambda fault: (fault.start, fault.shop, fault.kind))


def _moment(text: str | None, place: str) -> int:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        raise ConfigurationError(
            f"{place}: {text!r} is no time such as 2026-09-01T00:00:00Z"
        ) from None
    if moment.tzinfo is None:
        raise ConfigurationError(f"{place}: the time {text!r} lacks its zone: add Z for UTC")
    return round(moment.timestamp() * 1000)
