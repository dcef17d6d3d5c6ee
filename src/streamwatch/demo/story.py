"""What happens in the demonstration: the shops, the faults and the configuration."""

import datetime as dt
from pathlib import Path

from streamwatch.simulation.faults import Fault, parse_fault
from streamwatch.simulation.fleet import FleetSettings
from streamwatch.simulation.labels import labels, write_labels

HISTORY_DAYS = 56
LIVE_DAYS = 7
SHOPS = 24

FAULTS = (
    "stage-bug@shop-002:58:normalise/5.0.0",
    "inches@shop-003:58",
    "silence@shop-001:59+2",
    "drop@shop-006:58+3:0.7",
    "tenfold@shop-008:59:weight",
    "surge@shop-005:59+2:3",
)
"""One of our own stages breaks for one app version; the rest are the clients' doing."""

_SETTINGS = """\
# The demonstration's configuration; see streamwatch.yaml in the project for all that there is.
database: sqlite:///demo.db
kafka: {{bootstrap: "{bootstrap}", group: streamwatch-demo, partitions: 4}}
metrics_port: {metrics_port}
flush: {{interval: 500ms, records: 50_000}}
# A day passes in seconds here, so half a second of a flush is hours of the events' time.
judging: {{lateness: 6h}}
"""

_TAP = """\
# The same events as the client sent them and after every unit was made one.
event: widget-event
after: [decode, normalise]
columns: [height, height_unit, weight, weight_unit, app_version]
sample: 50%
retention: 30d
tests:
  - name: every record may be taken
    event: {event_id: a, shop: shop-002, height: 170}
    taken: true
"""


def fleet_settings(today: dt.date) -> FleetSettings:
    """The fleet, whose last day is yesterday."""
    days = HISTORY_DAYS + LIVE_DAYS
    start = today - dt.timedelta(days=days)
    return FleetSettings(
        shops=SHOPS, days=days, seed=7, start=start, smallest=5, largest=1_200, sale_rate=0
    )


def faults() -> tuple[Fault, ...]:
    """The faults that are injected."""
    return tuple(parse_fault(text) for text in FAULTS)


def write_configuration(
    folder: Path, fleet: FleetSettings, bootstrap: str, metrics_port: int
) -> Path:
    """Write configuration, tap and the truth about the faults; returns the settings file."""
    folder.mkdir(parents=True, exist_ok=True)
    settings_file = folder / "streamwatch.yaml"
    text = _SETTINGS.format(bootstrap=bootstrap, metrics_port=metrics_port)
    settings_file.write_text(text)
    (folder / "tap_config").mkdir(exist_ok=True)
    (folder / "tap_config" / "measures.yaml").write_text(_TAP)
    write_labels(labels_file(folder), labels(fleet, faults()))
    return settings_file


def labels_file(folder: Path) -> Path:
    """Where the truth about the faults stands."""
    return folder / "labels.csv"
