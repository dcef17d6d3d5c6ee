"""How many shops there are in a sample, how much they send, and over which time."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np

from streamwatch.onboarding.columns import Column
from streamwatch.stages.when import event_time_ms

DAY_MS = 86_400_000


def span(time: Column) -> tuple[str, str, float]:
    """First and last time as dates, and the days between; empty without any.

    >>> from streamwatch.onboarding.columns import columns_of
    >>> span(columns_of([{"t": "2026-01-01T00:00:00Z"}, {"t": "2026-01-03T12:00:00Z"}])["t"])
    ('2026-01-01', '2026-01-03', 2.5)
    """
    read = [event_time_ms(value, lambda _: UTC, "") for value in time.values if value is not None]
    found = [moment for moment in read if moment is not None]
    if not found:
        return "", "", 0.0
    first, last = min(found), max(found)
    days = (last - first) / DAY_MS
    first_day, last_day = (
        f"{datetime.fromtimestamp(one / 1000, UTC):%Y-%m-%d}" for one in (first, last)
    )
    return first_day, last_day, days


def described(shop: Column, days: float, step: int) -> str:
    """How many shops, and the records a day of the largest, the median and the smallest.

    Args:
        shop: the column that names them.
        days: over which the sample reaches.
        step: every so many-th record was sampled.
    """
    counts = Counter(str(value) for value in shop.values if value is not None)
    if len(counts) == 1:
        return f"one shop: {next(iter(counts))}"
    if days < 1:
        return f"{len(counts):,} shops; the sample is too short to say how much they send"
    daily = [count * step / days for count in counts.values()]
    largest, smallest = counts.most_common(1)[0][0], counts.most_common()[-1][0]
    return (
        f"{len(counts):,} shops; about {max(daily):,.1f} records a day of {largest}, "
        f"{float(np.median(daily)):,.1f} of the median shop, {min(daily):,.1f} of {smallest}"
    )
