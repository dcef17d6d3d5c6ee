"""The events of a fleet in the order in which they arrive."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from streamwatch.simulation.chance import generator
from streamwatch.simulation.damage import damaged, surges
from streamwatch.simulation.faults import Fault, check_faults
from streamwatch.simulation.fleet import DAY_MS, Fleet, FleetSettings, build_fleet
from streamwatch.simulation.journeys import journeys
from streamwatch.simulation.rows import KINDS, Kind, Rows, encode, no_rows, shop_column
from streamwatch.simulation.season import visits

_CHUNK = 50_000
"""About so many events are held as JSON at once."""

Batch = dict[Kind, Rows]


class SimulatedEvent(msgspec.Struct, frozen=True, gc=False):
    """One event as it arrives.

    Attributes:
        topic: ``widget-event``, ``purchase`` or ``return``.
        arrived_ms: when it arrives, milliseconds since 1970 UTC.
        value_bytes: the client's JSON.
        shop: the shop, for a Kafka key.
    """

    topic: str
    arrived_ms: int
    value_bytes: bytes
    shop: str


def simulate(settings: FleetSettings, faults: Sequence[Fault] = ()) -> Iterator[SimulatedEvent]:
    """All events that happen and arrive within the days of the simulation, by arrival.

    Memory holds one day of the fleet as rows, what is still to arrive, and some tens of
    thousands of events as JSON.

    Raises:
        ConfigurationError: a setting or a fault does not fit.

    >>> events = list(simulate(FleetSettings(shops=1, days=2, largest=50)))
    >>> [event.arrived_ms for event in events] == sorted(event.arrived_ms for event in events)
    True
    """
    for _day, batch in simulate_days(settings, faults):
        yield from batch


def simulate_days(
    settings: FleetSettings, faults: Sequence[Fault] = ()
) -> Iterator[tuple[int, list[SimulatedEvent]]]:
    """The same events in batches, each with its day of arrival; for a progress display.

    Raises:
        ConfigurationError: a setting or a fault does not fit.
    """
    fleet = build_fleet(settings)
    check_faults(tuple(faults), settings)
    waiting: Batch = {kind: no_rows(kind) for kind in KINDS}
    for day in range(-settings.history_days, settings.days):
        day_end = settings.start_ms + (day + 1) * DAY_MS
        due: Batch = {}
        for kind, parts in _begun_on(day, faults, fleet).items():
            new = [_within(damaged(kind, rows, faults, fleet), settings) for rows in parts]
            rows = np.concatenate([waiting[kind], *new])
            arrives_now = rows["arrived"] < day_end
            due[kind] = rows[arrives_now]
            waiting[kind] = rows[~arrives_now]
        for chunk in _chunks(due):
            yield day, _events(chunk, fleet)


def _begun_on(day: int, faults: Sequence[Fault], fleet: Fleet) -> dict[Kind, list[Rows]]:
    """All rows of the journeys that begin on a day, before other faults than surges."""
    counts = visits(fleet, day)
    rng = generator(fleet.settings.seed, "journeys", day + 100_000)
    sets = [journeys(fleet, day, counts, np.zeros_like(counts), rng)]
    sets += surges(day, counts, faults, fleet)
    return {kind: [rows[kind] for rows in sets] for kind in KINDS}


def _within(rows: Rows, settings: FleetSettings) -> Rows:
    return rows[(rows["occurred"] >= settings.start_ms) & (rows["arrived"] < settings.end_ms)]


def _chunks(due: Batch) -> Iterator[Batch]:
    """Cut a day into spans of arrival time that hold about equally many events."""
    arrived = np.concatenate([due[kind]["arrived"] for kind in KINDS])
    if not len(arrived):
        return
    ranks = np.linspace(0, len(arrived) - 1, len(arrived) // _CHUNK + 2).astype(np.int64)
    cuts = np.unique(np.sort(arrived)[ranks])[1:-1]
    part = {kind: np.searchsorted(cuts, due[kind]["arrived"], side="right") for kind in KINDS}
    for number in range(len(cuts) + 1):
        yield {kind: due[kind][part[kind] == number] for kind in KINDS}


def _events(chunk: Batch, fleet: Fleet) -> list[SimulatedEvent]:
    events: list[SimulatedEvent] = []
    for kind in KINDS:
        rows = chunk[kind]
        values, shops = encode(kind, rows, fleet), shop_column(rows, fleet)
        columns = zip(rows["arrived"].tolist(), values, shops, strict=True)
        events += [SimulatedEvent(kind, *column) for column in columns]
    arrived = np.concatenate([chunk[kind]["arrived"] for kind in KINDS])
    occurred = np.concatenate([chunk[kind]["occurred"] for kind in KINDS])
    return [events[place] for place in np.lexsort((occurred, arrived)).tolist()]
