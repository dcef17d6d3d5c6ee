"""Months: a shop that sends one file a month is judged by the month that its file covers.

Its months begin on the day after the last one that a file holds. That is known for some days after
a file came, as long as its newest days are at hand.
"""

from itertools import pairwise
from statistics import median

from streamwatch.domain.cells import DAY_MS
from streamwatch.steps import calendar, partials
from streamwatch.steps.patience import is_late
from streamwatch.steps.streams import Period, Stream

_LEAST_GAPS = 2
_LATEST_GAPS = 4
_SHORTEST_MS, _LONGEST_MS = 26 * DAY_MS, 35 * DAY_MS
_LAST_DAY = 28
_MARGIN = 1.25


def month_of_files(busiest: Stream, lateness: int) -> Period | None:
    """The month that a shop's files cover; ``None`` while it does not send one a month."""
    bursts = busiest.learned.cadence.bursts[-_LATEST_GAPS - 1 :]
    gaps = [b - a for a, b in pairwise(bursts)]
    monthly = [gap for gap in gaps if _SHORTEST_MS <= gap <= _LONGEST_MS]
    if len(monthly) < _LEAST_GAPS or not _SHORTEST_MS <= median(gaps) <= _LONGEST_MS:
        return None
    if not is_late(busiest.learned.late, lateness):
        return None
    held = [day for day, hours in busiest.days.items() if partials.count(hours.values())]
    if not held or busiest.learned.next_day <= max(held) or max(held) >= bursts[-1]:
        return None
    following = calendar.next_day(max(held), busiest.zone)
    # The last days of some months are none of others.
    begins = calendar.day_of_month(following, busiest.zone)
    begins = begins if begins <= _LAST_DAY else 1
    return Period(begins, wait(busiest, begins, lateness), "month")


def wait(stream: Stream, begins: int, lateness: int) -> int:
    """How long after a month's end its file usually comes, with a margin."""
    zone = stream.zone
    after = [
        moment - calendar.month_start(calendar.day_start(moment, zone), begins, zone)
        for moment in stream.learned.cadence.bursts[-_LATEST_GAPS:]
    ]
    return round(max(after) * _MARGIN) + lateness
