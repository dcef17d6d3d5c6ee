"""Daily sums of grocery stores in which no fault is known: what alarms there is false."""

import csv
import datetime as dt
import gzip
from collections import defaultdict
from pathlib import Path

from detection.rivals import RIVALS
from detection.tweets import OURS

from streamwatch.series.detector import Detector
from streamwatch.series.points import Judged, Kind, sensitivity

STORES = 68
DAY = 86_400
HOLIDAYS = (
    "01-01", "04-16", "05-29", "07-04", "09-04", "11-23", "12-24", "12-25", "12-31",
)  # fmt: skip
"""Of 2017 in the USA; the days around each are left out too."""

_EPOCH = dt.date(1970, 1, 1).toordinal()
Series = dict[tuple[str, str], tuple[list[int], list[float]]]


def read(folder: Path) -> Series:
    """The stores with most days: (store, KPI) → days (seconds) and values, absent days as 0."""
    stores: dict = defaultdict(dict)
    with gzip.open(folder / "derived_daily_by_store.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            day = dt.date.fromisoformat(row["date"]).toordinal()
            stores[row["store_id"]][day] = {k: float(row[k]) for k in ("baskets", "lines", "sales")}
    most = sorted(stores, key=lambda store: (-len(stores[store]), store))[:STORES]
    series = {}
    for store in most:
        known = stores[store]
        days = range(min(known), max(known) + 1)
        for kpi in ("baskets", "lines"):
            values = [known[day][kpi] if day in known else 0.0 for day in days]
            series[store, kpi] = ([_seconds(day) for day in days], values)
        open_days = sorted(known)
        baskets = [known[day]["sales"] / known[day]["baskets"] for day in open_days]
        series[store, "sales a basket"] = ([_seconds(day) for day in open_days], baskets)
    return series


def _seconds(day: int) -> int:
    return (day - _EPOCH) * DAY


def detect(times: list[int], values: list[float], kind: Kind) -> list[Judged]:
    """Every row's judgement."""
    detector = Detector(sensitivity(1.0), kind)
    pairs = zip(times, values, strict=True)
    return [detector.judge(at * 1000, value) for at, value in pairs]


def undisturbed(folder: Path) -> dict:
    """Unusual verdicts per shop-month and KPI, outside holidays, of every rule."""
    holiday = {
        dt.date.fromisoformat(f"2017-{day}").toordinal() + near
        for day in HOLIDAYS
        for near in (-1, 0, 1)
    }
    counts: dict = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for (_, kpi), (times, values) in read(folder).items():
        judged = detect(times, values, "value" if kpi == "sales a basket" else "count")
        alarming = {OURS: [one.state == "unusual" for one in judged]}
        for rule, (scores_of, usual) in RIVALS.items():
            alarming[rule] = [one >= usual for one in scores_of(times, values, DAY)]
        for rule, alarms in alarming.items():
            tally = counts[rule][kpi]
            for at, one, alarm in zip(times, judged, alarms, strict=True):
                # Every rule is counted on the days that ours judges.
                if at // DAY + _EPOCH not in holiday and one.score is not None:
                    tally[0] += alarm
                    tally[1] += 1
    return {
        rule: {
            kpi: {"unusual": n, "days": days, "per_shop_month": n / (days / 30.4375)}
            for kpi, (n, days) in kpis.items()
        }
        for rule, kpis in counts.items()
    }
