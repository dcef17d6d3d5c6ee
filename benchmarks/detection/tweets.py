"""Ten labelled 5-minute count series: every rule, its setting chosen on other series."""

import csv
import datetime as dt
import gzip
import json
import math
import time
from pathlib import Path

import numpy as np
from detection.holdout import Told, by_halves, nab, one_left_out, told
from detection.rivals import RIVALS

from streamwatch.series.detector import Detector
from streamwatch.series.points import Sensitivity, sensitivity

OURS = "streamwatch detect"
LASTING = "streamwatch detect, every row of what lasts"
NAMES = ("AAPL", "AMZN", "CRM", "CVS", "FB", "GOOG", "IBM", "KO", "PFE", "UPS")
STEP = 300
SURPRISING = 0.5
DEVIATIONS = (3.5, 4.5, 6.0)
MARGINS = (0.05, 0.09, 0.13, 0.18, 0.25)
TAILS = np.geomspace(1e-5, 0.05, 30)
"""Shares of the rows that may lie beyond a rival's threshold: a grid that knows no labels."""

Series = dict[str, tuple[np.ndarray, list[float], list[tuple[int, int]]]]


def read(folder: Path) -> Series:
    """Name → times (seconds), values, windows as first and last row."""
    labels = json.loads((folder / "windows.json").read_text())
    series = {}
    for name in NAMES:
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


def labelled(folder: Path) -> dict:
    """What every rule finds with the setting that other series chose, and with its usual one."""
    series = read(folder)
    tables, seconds = _ours(series)
    for rule, (scores_of, threshold) in RIVALS.items():
        scores = {n: np.array(scores_of(t, v, STEP)) for n, (t, v, _) in series.items()}
        tables[rule] = (_thresholds(scores, series, threshold), f"{threshold:.9g}")
    return {
        "rules": {rule: _summary(table, usual) for rule, (table, usual) in tables.items()},
        "detect_microseconds_a_row": 1e6 * seconds,
    }


def _ours(series: Series) -> tuple[dict, float]:
    """Our tables of settings, and seconds a row."""
    surprising: dict[str, dict[str, Told]] = {}
    lasting: dict[str, dict[str, Told]] = {}
    spent, rows = 0.0, 0
    for limits in [Sensitivity(far, beyond) for far in DEVIATIONS for beyond in MARGINS]:
        surprising[_name(limits)], lasting[_name(limits)] = {}, {}
        for name, (times, values, windows) in series.items():
            detector = Detector(limits)
            begun = time.process_time()
            judged = [
                detector.judge(int(at) * 1000, value)
                for at, value in zip(times, values, strict=True)
            ]
            spent += time.process_time() - begun
            rows += len(values)
            scores = np.array([one.score or 0.0 for one in judged])
            surprising[_name(limits)][name] = told(scores >= SURPRISING, windows)
            unusual = np.array([one.state == "unusual" for one in judged])
            lasting[_name(limits)][name] = told(unusual, windows)
    usual = _name(sensitivity(1.0))
    return {OURS: (surprising, usual), LASTING: (lasting, usual)}, spent / rows


def _name(limits: Sensitivity) -> str:
    return f"{limits.threshold:g} deviations, margin {limits.beyond:g}"


def _thresholds(scores: dict, series: Series, usual: float) -> dict:
    together = np.concatenate(list(scores.values()))
    limits = {usual, math.inf, *np.quantile(together, 1 - TAILS).tolist()}
    return {
        f"{limit:.9g}": {name: told(scores[name] >= limit, series[name][2]) for name in series}
        for limit in sorted(limit for limit in limits if limit > 0)
    }


def _summary(table: dict, usual: str) -> dict:
    setting, held = by_halves(table)
    left_out = one_left_out(table)
    return {
        "halves": {
            "setting": setting,
            "nab": nab(list(held.values())),
            "series": {name: vars(one) for name, one in held.items()},
        },
        "one left out": {
            "nab": nab([one for _, one in left_out.values()]),
            "series": {n: {"setting": s, **vars(one)} for n, (s, one) in left_out.items()},
        },
        "usual": {
            "setting": usual,
            "nab": nab(list(table[usual].values())),
            "series": {name: vars(one) for name, one in table[usual].items()},
        },
    }
