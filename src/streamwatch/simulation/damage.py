"""What each fault does to the rows of the events that it hits.

Which events a share hits is decided by a lot on the event's own number, so that one fault
changes nothing for another.
"""

import zlib
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.simulation.chance import generator, lots
from streamwatch.simulation.faults import ALL_SHOPS, Fault, window
from streamwatch.simulation.fleet import DAY_MS, Fleet, FleetSettings
from streamwatch.simulation.journeys import journeys
from streamwatch.simulation.rows import KINDS, SIZES, Kind, Rows, lose_field

Hit = NDArray[np.bool_]
_RESEND_MS = 3_600_000
"""What is sent again comes so much after the first time."""


def damaged(kind: Kind, rows: Rows, faults: Sequence[Fault], fleet: Fleet) -> Rows:
    """The rows after all faults, in their order; may change the given rows in place."""
    for fault in faults:
        change = _CHANGES.get(fault.kind)
        if change is None or not len(rows):
            continue
        start, end = window(fault, fleet.settings)
        hit = (rows["occurred"] >= start) & (rows["occurred"] < end) & _of_shop(rows, fault, fleet)
        if fault.share < 1 and hit.any():
            hit &= _lots(kind, rows, fault, fleet.settings) < fault.share
        if hit.any():
            rows = change(kind, rows, hit, fault)
    return rows


def surges(
    day: int, counts: NDArray[np.int64], faults: Sequence[Fault], fleet: Fleet
) -> list[dict[Kind, Rows]]:
    """The journeys that surges add to a day; only what happens within the surge."""
    added = []
    first = counts.copy()
    for fault in faults:
        start, end = window(fault, fleet.settings)
        midnight = fleet.settings.start_ms + day * DAY_MS
        if fault.kind != "surge" or start >= midnight + DAY_MS or end <= midnight:
            continue
        rng = generator(fleet.settings.seed, "surge", _salt(fault), day)
        more = rng.poisson(counts * (fault.factor - 1))
        if fault.shop != ALL_SHOPS:
            more = np.where(np.array(fleet.names) == fault.shop, more, 0)
        rows = journeys(fleet, day, more, first, rng)
        first = first + more
        for kind in KINDS:
            occurred = rows[kind]["occurred"]
            rows[kind] = rows[kind][(occurred >= start) & (occurred < end)]
        added.append(rows)
    return added


def _of_shop(rows: Rows, fault: Fault, fleet: Fleet) -> Hit:
    if fault.shop == ALL_SHOPS:
        return np.ones(len(rows), bool)
    hit: Hit = rows["shop"] == fleet.names.index(fault.shop)
    return hit


def _salt(fault: Fault) -> int:
    return zlib.crc32(msgspec.json.encode(fault))


def _lots(kind: Kind, rows: Rows, fault: Fault, settings: FleetSettings) -> NDArray[np.float64]:
    salt = settings.seed * 8 + KINDS.index(kind)
    keys = (rows["shop"], rows["day"], rows["number"], rows["line"])
    return lots(salt, np.array([_salt(fault)]), *(key.astype(np.int64) for key in keys))


def _lose(_kind: Kind, rows: Rows, hit: Hit, _fault: Fault) -> Rows:
    return rows[~hit]


def _inches(kind: Kind, rows: Rows, hit: Hit, _fault: Fault) -> Rows:
    if kind == "widget-event":
        rows["height"][hit] = np.round(rows["height"][hit] / 2.54, 1)
    return rows


def _tenfold(_kind: Kind, rows: Rows, hit: Hit, fault: Fault) -> Rows:
    if fault.field in (rows.dtype.names or ()):
        rows[fault.field][hit] = np.round(rows[fault.field][hit] * 10, 2)
    return rows


def _missing_field(_kind: Kind, rows: Rows, hit: Hit, fault: Fault) -> Rows:
    if fault.field in (rows.dtype.names or ()):
        lose_field(rows, fault.field, hit)
    return rows


def _sizes_lost(kind: Kind, rows: Rows, hit: Hit, _fault: Fault) -> Rows:
    if kind != "purchase":
        return rows
    return rows[~(hit & (rows["size"] >= SIZES.index("XL")))]


def _wrong_label(_kind: Kind, rows: Rows, hit: Hit, _fault: Fault) -> Rows:
    gender = rows["gender"]
    swap = hit & (gender >= 0)
    gender[swap] = 1 - gender[swap]
    return rows


def _duplicate(_kind: Kind, rows: Rows, hit: Hit, _fault: Fault) -> Rows:
    again = rows[hit]
    again["arrived"] += _RESEND_MS
    return np.concatenate([rows, again])


def _late(_kind: Kind, rows: Rows, hit: Hit, fault: Fault) -> Rows:
    rows["arrived"][hit] += round(fault.hours * 3_600_000)
    return rows


_CHANGES: dict[str, Callable[[Kind, Rows, Hit, Fault], Rows]] = {
    "silence": _lose,
    "drop": _lose,
    "inches": _inches,
    "tenfold": _tenfold,
    "missing-field": _missing_field,
    "sizes-lost": _sizes_lost,
    "wrong-label": _wrong_label,
    "duplicate-file": _duplicate,
    "late": _late,
}
