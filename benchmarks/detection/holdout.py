"""Settings chosen on some labelled series, told on others that had no part in the choice.

Two ways, the same for every rule. *By halves*: five series, taken by the SHA-256 of their names,
choose; the other five are told. *One left out*: nine choose, the tenth is told, ten times over, so
that every series is told once and none had a part in its own setting. What is chosen is the
setting with the best score of the Numenta Anomaly Benchmark on those that choose.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from detection.nab_score import probation, row_weights

MERGE_ROWS = 12


@dataclass(frozen=True)
class Told:
    """What a rule tells on one series with one setting.

    Attributes:
        raw: what the benchmark pays: a reward of at most 1 for each window found early, less for
            alarms outside, -1 for each missed.
        found, windows: labelled windows with an alarm, and all.
        false: alarms outside; those within an hour are one.
    """

    raw: float
    found: int
    windows: int
    false: int


def told(alarming: np.ndarray, windows: Sequence[tuple[int, int]]) -> Told:
    """What a series' alarms are worth."""
    worth, window_of = row_weights(len(alarming), windows)
    alarms = np.flatnonzero(alarming)
    alarms = alarms[alarms >= probation(len(alarming))]
    best: dict[int, float] = {}
    raw, false, last = -float(len(windows)), 0, -MERGE_ROWS - 1
    for row in alarms:
        window = int(window_of[row])
        if window < 0:
            raw += worth[row]
            false += row - last > MERGE_ROWS
            last = row
        else:
            best[window] = max(best.get(window, -1.0), worth[row])
    raw += sum(1 + one for one in best.values())
    return Told(float(raw), len(best), len(windows), int(false))


def choosing_half(names: Sequence[str]) -> list[str]:
    """The half of the series that chooses."""
    ordered = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return ordered[: len(ordered) // 2]


def chosen(table: dict, names: Sequence[str]) -> str:
    """The setting with the best score on these series.

    Args:
        table: setting → series → `Told`.
        names: those that choose.
    """
    return max(table, key=lambda setting: sum(table[setting][name].raw for name in names))


def by_halves(table: dict) -> tuple[str, dict[str, Told]]:
    """The setting that one half chooses, and what it tells on the other."""
    names = list(next(iter(table.values())))
    half = choosing_half(names)
    setting = chosen(table, half)
    return setting, {name: table[setting][name] for name in names if name not in half}


def one_left_out(table: dict) -> dict[str, tuple[str, Told]]:
    """Of each series the setting that the others choose, and what it tells there."""
    names = list(next(iter(table.values())))
    result = {}
    for name in names:
        setting = chosen(table, [other for other in names if other != name])
        result[name] = (setting, table[setting][name])
    return result


def nab(results: Sequence[Told]) -> float:
    """The benchmark's score: 100 for a perfect detector, 0 for one that never alarms."""
    windows = sum(one.windows for one in results)
    return 50 * (sum(one.raw for one in results) / windows + 1)
