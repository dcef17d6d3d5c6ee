"""The truth about the faults, one row for each KPI that one of them moves."""

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from streamwatch.domain.events import EVENT_TYPES
from streamwatch.errors import ConfigurationError
from streamwatch.simulation.faults import ALL_SHOPS, Fault, check_faults, window
from streamwatch.simulation.fleet import CURRENCIES, Fleet, FleetSettings, build_fleet

COLUMNS = (
    "fault", "shop", "event_type", "kpi", "segment", "start", "end", "origin", "argument",
)  # fmt: skip
_Kpi = tuple[str, str, str]
"""Event type, KPI and segment."""


class Label(msgspec.Struct, frozen=True):
    """One KPI that a fault moves.

    Attributes:
        fault: its kind.
        shop, event_type, kpi, segment: as in `domain.readings.KpiKey`, and also ``silence``
            for the KPI that nothing arrives, ``mix.…`` for a categorical feature's shares
            and ``missing.…`` for its missing rate.
        start_ms, end_ms: event times from and before which, milliseconds since 1970 UTC.
        origin: ``client``, or the stage that misbehaves.
        argument: of the fault, defaults included.
    """

    fault: str
    shop: str
    event_type: str
    kpi: str
    segment: str
    start_ms: int
    end_ms: int
    origin: str
    argument: str


def labels(settings: FleetSettings, faults: Sequence[Fault]) -> list[Label]:
    """For each fault and shop one label per KPI that moves, the one that moves most first.

    Ratios of two event types are left out: they follow from the labels of their parts.

    Raises:
        ConfigurationError: a setting or a fault does not fit.
    """
    fleet = build_fleet(settings)
    check_faults(tuple(faults), settings)
    return [
        Label(fault.kind, shop, *kpi, *window(fault, settings), fault.stage or "client", argument)
        for fault in faults
        for argument in [_argument(fault)]
        for shop in (fleet.names if fault.shop == ALL_SHOPS else (fault.shop,))
        for kpi in _kpis(fault, shop, fleet)
    ]


def write_labels(path: Path, rows: Iterable[Label]) -> None:
    """Write the CSV file; times are RFC 3339 in UTC."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            values = msgspec.structs.asdict(row)
            values["start"], values["end"] = _text(row.start_ms), _text(row.end_ms)
            writer.writerow([values[column] for column in COLUMNS])


def read_labels(path: Path) -> list[tuple[int, Label]]:
    """The labels of a file, each with its line.

    Raises:
        ConfigurationError: the file is missing or wrong; the text begins with ``file:line:``.
    """
    found = []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ConfigurationError(f"{path}:1: the columns must be {','.join(COLUMNS)}")
            for row in reader:
                found.append((reader.line_num, _label(row, f"{path}:{reader.line_num}")))  # noqa: PERF401
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: the labels cannot be read: {error}") from error
    return found


def _label(row: dict[str, str], place: str) -> Label:
    try:
        start, end = _milliseconds(row.pop("start")), _milliseconds(row.pop("end"))
        return msgspec.convert({**row, "start_ms": start, "end_ms": end}, Label)
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{place}: not a label: {error}") from error


def _text(milliseconds: int) -> str:
    time = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(text: str) -> int:
    time = dt.datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone")
    return round(time.timestamp() * 1000)


def _argument(fault: Fault) -> str:
    """The argument in full, defaults included; `parse_fault` reads it back."""
    match fault.kind:
        case "silence" | "sizes-lost" | "duplicate-file":
            return ""
        case "drop" | "inches" | "wrong-label":
            return f"{fault.share:g}"
        case "tenfold" | "missing-field":
            return f"{fault.field}/{fault.share:g}"
        case "surge":
            return f"{fault.factor:g}"
        case "late":
            return f"{fault.hours:g}"
        case "stage-bug":
            which = fault.app_version or f"{fault.share:g}"
            return f"{fault.stage}/{which}/{fault.field}/{fault.factor!r}"


def _kpis(fault: Fault, shop: str, fleet: Fleet) -> list[_Kpi]:
    volumes = [(event, "volume", "all") for event in EVENT_TYPES]
    silences = [(event, "silence", "all") for event in EVENT_TYPES]
    match fault.kind:
        case "silence":
            return [*volumes, *silences]
        case "drop" | "duplicate-file":
            return volumes
        case "surge":
            return volumes[:2]
        case "late":
            return [*silences, *volumes]
        case "sizes-lost":
            return [("purchase", "mix.size", "all"), ("purchase", "volume", "all")]
        case "wrong-label":
            return _wrong_label_kpis()
        case "missing-field":
            return [(event, f"missing.{fault.field}", "all") for event in _having(fault.field)]
        case "inches":
            return [("widget-event", "mean.height", "all")]
        case "tenfold" | "stage-bug":
            currency = CURRENCIES[fleet.currency[fleet.names.index(shop)]]
            name = f"price.{currency}" if fault.field == "price" else fault.field
            return [(event, f"mean.{name}", "all") for event in _having(fault.field)]


def _wrong_label_kpis() -> list[_Kpi]:
    """A segment's mean moves most: the shares stay where women and men are equally many."""
    means = [
        ("widget-event", f"mean.{field}", f"gender={gender}")
        for field in ("height", "weight")
        for gender in ("female", "male")
    ]
    return [*means, *((event, "mix.gender", "all") for event in EVENT_TYPES)]


def _having(field: str) -> list[str]:
    return [name for name, event in EVENT_TYPES.items() if field in event.numbers + event.labels]
