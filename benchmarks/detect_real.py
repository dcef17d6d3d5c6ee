"""`streamwatch detect` and the rules that a team would otherwise use, on real series.

    python benchmarks/detect_real.py DATA_FOLDER --out benchmarks/results

DATA_FOLDER holds `tweets` (ten 5-minute count series of the Numenta Anomaly Benchmark with
windows.json) and `completejourney_daily` (daily sums of grocery stores). Nothing of it is
copied. The rows go through `streamwatch.series.Detector`, which the command runs.

Half of the labelled series was there to choose settings (TUNE), the other half (HELD) was to
stay aside; how far that was kept is told in the result.
"""

import argparse
import csv
import datetime as dt
import gzip
import json
import platform
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from detection.nab_score import over_splits, probation, row_weights, sweep
from detection.rivals import RIVALS

from streamwatch.series.detector import Detector
from streamwatch.series.points import sensitivity

TUNE = ("AAPL", "CRM", "FB", "IBM", "PFE")
HELD = ("AMZN", "CVS", "GOOG", "KO", "UPS")
OURS = "streamwatch detect"
STEP = 300
MERGE_ROWS = 12
STORES = 68
HOLIDAYS = (
    "01-01", "04-16", "05-29", "07-04", "09-04", "11-23", "12-24", "12-25", "12-31",
)  # fmt: skip
"""Of 2017 in the USA; the days around each are left out too."""


def detect(times, values, kind=None):
    """Every row's judgement by the detector, and seconds a row."""
    detector = Detector(sensitivity(1.0), kind)
    begun = time.process_time()
    judged = [
        detector.judge(int(at) * 1000, float(value))
        for at, value in zip(times, values, strict=True)
    ]
    return judged, (time.process_time() - begun) / len(judged)


def read_tweets(folder: Path) -> dict:
    """Name → times (seconds), values, windows as first and last row."""
    labels = json.loads((folder / "windows.json").read_text())
    series = {}
    for name in TUNE + HELD:
        file = f"Twitter_volume_{name}.csv"
        with gzip.open(folder / f"{file}.gz", "rt") as lines:
            rows = list(csv.DictReader(lines))
        times = np.array([_seconds(row["timestamp"]) for row in rows])
        values = [float(row["value"]) for row in rows]
        windows = [
            (
                int(np.searchsorted(times, _seconds(first))),
                int(np.searchsorted(times, _seconds(last), side="right")) - 1,
            )
            for first, last in labels[f"realTweets/{file}"]
        ]
        series[name] = (times, values, windows)
    return series


def _seconds(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp())


def found_and_false(alarming, windows) -> tuple[int, int]:
    """Windows with an alarm, and alarms outside; alarms within an hour are one."""
    start = probation(len(alarming))
    _, window_of = row_weights(len(alarming), windows)
    found = {int(window_of[row]) for row in range(start, len(alarming)) if alarming[row]} - {-1}
    false, last = 0, -MERGE_ROWS
    for row in range(start, len(alarming)):
        if alarming[row] and window_of[row] < 0:
            false += row - last > MERGE_ROWS
            last = row
    return len(found), false


def labelled(folder: Path) -> dict:
    """NAB scores, windows found and false alarms of every rule."""
    series = read_tweets(folder)
    judged, seconds = {}, []
    for name, (times, values, _) in series.items():
        judged[name], one = detect(times, values)
        seconds.append(one)
    rules = {OURS: ({n: [j.score or 0.0 for j in rows] for n, rows in judged.items()}, 0.5)}
    for rule, (scores_of, usual) in RIVALS.items():
        scores = {n: scores_of(times, values, STEP) for n, (times, values, _) in series.items()}
        rules[rule] = (scores, usual)
    table = {}
    for rule, (scores, usual) in rules.items():
        tuned, chosen = sweep(scores, series, TUNE)
        own_all, own = sweep(scores, series, TUNE + HELD)
        counts = {
            name: {
                "windows": len(windows),
                "best": found_and_false([s >= chosen for s in scores[name]], windows),
                "usual": found_and_false([s >= usual for s in scores[name]], windows),
            }
            for name, (_, _, windows) in series.items()
        }
        table[rule] = {
            "nab_all_best_threshold": own_all,
            "best_threshold_all": own,
            "nab_tune_best_threshold": tuned,
            "threshold_of_tune": chosen,
            "nab_held_at_threshold_of_tune": sweep(scores, series, HELD, chosen)[0],
            "nab_over_all_splits": over_splits(scores, series),
            "nab_held_best_threshold": sweep(scores, series, HELD)[0],
            "usual_threshold": usual,
            "nab_all_usual": sweep(scores, series, TUNE + HELD, usual)[0],
            "nab_held_usual": sweep(scores, series, HELD, usual)[0],
            "series": counts,
        }
    return {"rules": table, "detect_microseconds_a_row": 1e6 * float(np.mean(seconds))}


def read_stores(folder: Path) -> dict:
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
            series[store, kpi] = ([_noon(day) for day in days], values)
        open_days = sorted(known)
        baskets = [known[day]["sales"] / known[day]["baskets"] for day in open_days]
        series[store, "sales a basket"] = ([_noon(day) for day in open_days], baskets)
    return series


def _noon(day: int) -> int:
    return (day - dt.date(1970, 1, 1).toordinal()) * 86_400


def undisturbed(folder: Path) -> dict:
    """Unusual verdicts per shop-month and KPI, outside holidays, of every rule."""
    series = read_stores(folder)
    holiday = {
        dt.date.fromisoformat(f"2017-{day}").toordinal() + near
        for day in HOLIDAYS
        for near in (-1, 0, 1)
    }
    epoch = dt.date(1970, 1, 1).toordinal()
    counts: dict = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for (_, kpi), (times, values) in series.items():
        kind = "value" if kpi == "sales a basket" else "count"
        judged, _ = detect(times, values, kind)
        normal = [at // 86_400 + epoch not in holiday for at in times]
        alarming = {OURS: [one.state == "unusual" for one in judged]}
        for rule, (scores_of, usual) in RIVALS.items():
            alarming[rule] = [one >= usual for one in scores_of(times, values, 86_400)]
        for rule, alarms in alarming.items():
            tally = counts[rule][kpi]
            for place, ordinary in enumerate(normal):
                # Every rule is counted on the days that ours judges.
                if ordinary and judged[place].score is not None:
                    tally[0] += alarms[place]
                    tally[1] += 1
    return {
        rule: {
            kpi: {"unusual": n, "days": days, "per_shop_month": n / (days / 30.4375)}
            for kpi, (n, days) in kpis.items()
        }
        for rule, kpis in counts.items()
    }


def markdown(result: dict) -> str:
    """The result as tables."""
    tweets, stores = result["labelled"]["rules"], result["undisturbed"]
    lines = [
        "# `streamwatch detect` on real series",
        "",
        (
            f"`{result['command']}`, {result['date']}, Python {result['python']}; nothing is drawn "
            "at random."
        ),
        "",
        "## Labelled counts: ten 5-minute series of the Numenta Anomaly Benchmark",
        "",
        (
            "33 windows. The NAB score is on these ten series only, so it does not compare with "
            "the benchmark's board, which holds 58. A threshold is chosen on five series "
            f"({', '.join(TUNE)}) and then used on the five held out ({', '.join(HELD)})."
        ),
        "",
        (
            "| rule | chosen on tune half | held half at that threshold | held half, own best "
            "| all, own best | 252 splits: mean | 252 splits: worst | usual threshold "
            "| all at usual | held at usual |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {rule} | {one['nab_tune_best_threshold']:.1f} | "
        f"{one['nab_held_at_threshold_of_tune']:.1f} | {one['nab_held_best_threshold']:.1f} | "
        f"{one['nab_all_best_threshold']:.1f} | {one['nab_over_all_splits']['mean']:.1f} | "
        f"{one['nab_over_all_splits']['worst']:.1f} | {one['usual_threshold']:g} | "
        f"{one['nab_all_usual']:.1f} | {one['nab_held_usual']:.1f} |"
        for rule, one in tweets.items()
    ]
    names = TUNE + HELD
    for which, title in (
        ("usual", "At the usual threshold (three sigmas; ours 0.5)"),
        ("best", "At the threshold that is best for the rule on the tune half"),
    ):
        lines += [
            "",
            f"{title}: windows found / false alarms (alarms within an hour are one), per series:",
            "",
            f"| rule | {' | '.join(names)} | together |",
            "|---|" + "---|" * (len(names) + 1),
        ]
        for rule, one in tweets.items():
            cells = [one["series"][name][which] for name in names]
            windows = sum(one["series"][name]["windows"] for name in names)
            shown = " | ".join(f"{found} / {false}" for found, false in cells)
            found, false = (sum(part) for part in zip(*cells, strict=True))
            lines.append(f"| {rule} | {shown} | {found} of {windows} / {false} |")
    kpis = list(next(iter(stores.values())))
    lines += [
        "",
        f"Cost: {result['labelled']['detect_microseconds_a_row']:.1f} µs a row (processor time).",
        "",
        (
            "**How far the half was held out.** The shape of the method (a record that fades, "
            "windows of 3 and 12 rows, three standard deviations added to both sides) was found "
            "while the figures of both halves were in sight; about 60 settings were looked at. The "
            "margin, and with it the usual threshold of 0.5, was among what was seen. So the "
            "columns at the usual threshold and at the own best flatter ours; the rivals have one "
            "threshold fitted, and nothing else. The best threshold of five series is a matter of "
            "single windows: it is often sharp, and can serve the other five badly (the column of "
            "the held half). The 252 splits take every choice of five series for the threshold "
            "and score the other five."
        ),
        "",
        f"## Undisturbed: daily sums of {STORES} grocery stores, 2017",
        "",
        (
            "No fault is known in them. Unusual verdicts per shop-month and KPI, outside holidays "
            "and the days beside them, at each rule's usual threshold, "
            "on the days that ours judges:"
        ),
        "",
        f"| rule | {' | '.join(kpis)} |",
        "|---|" + "---|" * len(kpis),
    ]
    for rule, one in stores.items():
        cells = " | ".join(f"{one[kpi]['per_shop_month']:.4f}" for kpi in kpis)
        lines.append(f"| {rule} | {cells} |")
    lines += [
        "",
        (
            "A median absolute deviation or a standard deviation of 0 gives no score, which is "
            "kind to the first two rules. Prophet itself is not run: the package is not part of "
            "this environment and is fitted offline; its place is taken by trend, daily and weekly "
            "Fourier terms by least squares over 28 days, fitted anew each night."
        ),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run both parts and write the result as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    result = {
        "command": "python benchmarks/detect_real.py DATA_FOLDER --out benchmarks/results",
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "python": platform.python_version(),
        "labelled": labelled(arguments.data / "tweets"),
        "undisturbed": undisturbed(arguments.data / "completejourney_daily"),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "detect_real.json").write_text(json.dumps(result, indent=1) + "\n")
    text = markdown(result)
    (arguments.out / "detect_real.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
