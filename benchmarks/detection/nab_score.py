"""The score of the Numenta Anomaly Benchmark, from its published description.

Each labelled window pays 1 for an alarm at its left edge, falling to 0 at its right one by a
sigmoid; only the earliest alarm of a window counts. An alarm outside costs up to 0.11, the
more the farther it is behind the last window. A missed window costs 1. The first 15 % of a
series (at most 750 rows) are not scored. 100 is a perfect detector, 0 one that never alarms.
One threshold serves all series.
"""

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
