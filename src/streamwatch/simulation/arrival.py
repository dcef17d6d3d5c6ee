"""When an event reaches us: at once, with the day's file or with the week's file."""

import numpy as np

from streamwatch.simulation.chance import Ints, lots
from streamwatch.simulation.fleet import CONTINUOUS, DAY_MS, WEEKLY_FILE, Fleet

_JITTER_MS = 20 * 60_000


def arrivals(fleet: Fleet, shop: Ints, occurred: Ints, rng: np.random.Generator) -> Ints:
    """Arrival of each event in milliseconds since 1970 UTC; never before it happened.

    A file holds whole days of the shop's local time, comes in the morning after the last
    of them, and all of it at one moment.
    """
    at_once = occurred + 200 + (rng.exponential(2_000.0, len(occurred))).astype(np.int64)
    rhythm = fleet.rhythm[shop]
    if (rhythm == CONTINUOUS).all():
        return at_once
    local_day = (occurred + fleet.utc_offset_ms[shop]) // DAY_MS
    weekday = (local_day + 3) % 7  # 1 January 1970 was a Thursday
    week_end = local_day + 7 - (weekday - fleet.file_weekday[shop]) % 7
    file_day = np.where(rhythm == WEEKLY_FILE, week_end, local_day + 1)
    jitter = (lots(fleet.settings.seed, shop, file_day) * _JITTER_MS).astype(np.int64)
    by_file = file_day * DAY_MS - fleet.utc_offset_ms[shop] + fleet.file_ms[shop] + jitter
    return np.where(rhythm == CONTINUOUS, at_once, by_file)
