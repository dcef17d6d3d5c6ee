"""The score of the Numenta Anomaly Benchmark, from its published description.

Each labelled window pays 1 for an alarm at its left edge, falling to 0 at its right one by a
sigmoid; only the earliest alarm of a window counts. An alarm outside costs up to 0.11, the
more the farther it is behind the last window. A missed window costs 1. The first 15 % of a
series (at most 750 rows) are not scored. 100 is a perfect detector, 0 one that never alarms.
One threshold serves all series.
"""

import itertools

import numpy as np

FALSE_COST = 0.11
PROBATION = 0.15
PROBATION_ROWS = 750


def _sigmoid(position):
    position = np.asarray(position, float)
    return np.where(position > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, 50))) - 1)


def probation(rows: int) -> int:
    """Rows at the start that are not scored."""
    return min(int(PROBATION * rows), PROBATION_ROWS)


def row_weights(rows: int, windows):
    """What an alarm at each row is worth, and the window that it lies in (-1 for none)."""
    place = np.arange(rows)
    worth = np.full(rows, -FALSE_COST)
    window_of = np.full(rows, -1)
    for first, last in windows:
        after = place > last
        worth[after] = FALSE_COST * _sigmoid((place[after] - last) / (last - first))
    for number, (first, last) in enumerate(windows):
        inside = (place >= first) & (place <= last)
        left = (last - place[inside] + 1) / (last - first + 1)
        worth[inside] = _sigmoid(-left) / _sigmoid(-1.0)
        window_of[inside] = number
    return worth, window_of


def sweep(scores: dict, series: dict, names, at: float | None = None) -> tuple[float, float]:
    """The NAB score of the named series, and the threshold that gives it.

    Args:
        scores: name → score of each row.
        series: name → (times, values, windows).
        names: which series.
        at: the threshold; ``None`` takes the best one, as NAB does.
    """
    events = []
    for name in names:
        worth, window_of = row_weights(len(series[name][0]), series[name][2])
        start = probation(len(worth))
        events += [
            (scores[name][row], worth[row], (name, window_of[row]) if window_of[row] >= 0 else None)
            for row in range(start, len(worth))
        ]
    events.sort(key=lambda event: -event[0])
    windows = sum(len(series[name][2]) for name in names)
    raw, best, threshold = -float(windows), -float(windows), float("inf")
    paid: dict = {}
    place = 0
    while place < len(events):
        limit = events[place][0]
        if at is not None and limit < at:
            break
        while place < len(events) and events[place][0] == limit:
            _, worth, window = events[place]
            if window is None:
                raw += worth
            elif window not in paid:
                raw += 1 + worth
                paid[window] = worth
            elif worth > paid[window]:
                raw += worth - paid[window]
                paid[window] = worth
            place += 1
        if raw > best:
            best, threshold = raw, limit
    if at is not None:
        best, threshold = raw, at
    return 100 * (best + windows) / (2 * windows), threshold


def over_splits(scores: dict, series: dict, limits: int = 2_000) -> dict[str, float]:
    """For every choice of half the series: threshold from that half, NAB score of the other.

    Args:
        scores: as for `sweep`.
        series: as for `sweep`.
        limits: how many thresholds are tried, evenly among the highest scores of all series.
    """
    names = sorted(series)
    high = np.unique(np.concatenate([np.asarray(scores[name]) for name in names]))[::-1]
    tried = high[np.unique(np.linspace(0, min(len(high), 20_000) - 1, limits).astype(int))]
    tried = np.concatenate([[np.inf], tried])  # to alarm never is a choice too
    raw = np.array([_raw(np.asarray(scores[name]), series[name][2], tried) for name in names])
    windows = np.array([len(series[name][2]) for name in names])
    held = []
    for half in itertools.combinations(range(len(names)), len(names) // 2):
        other = [place for place in range(len(names)) if place not in half]
        chosen = int(np.argmax(raw[list(half)].sum(axis=0)))
        held.append(50 * (raw[other, chosen].sum() / windows[other].sum() + 1))
    return {"mean": float(np.mean(held)), "worst": float(min(held)), "splits": len(held)}


def _raw(score: np.ndarray, windows, limits: np.ndarray) -> np.ndarray:
    """What one series pays at each threshold."""
    worth, window_of = row_weights(len(score), windows)
    scored = np.arange(len(score)) >= probation(len(score))
    total = np.full(len(limits), -float(len(windows)))
    outside = scored & (window_of < 0)
    order = np.argsort(-score[outside])
    costs = np.concatenate([[0.0], np.cumsum(worth[outside][order])])
    total += costs[np.searchsorted(-score[outside][order], -limits, side="right")]
    for number in range(len(windows)):
        inside = scored & (window_of == number)
        order = np.argsort(-score[inside])
        best = np.maximum.accumulate(np.concatenate([[-1.0], worth[inside][order]]))
        total += 1 + best[np.searchsorted(-score[inside][order], -limits, side="right")]
    return total
