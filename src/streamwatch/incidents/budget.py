"""The budget of false alarms: how far must a verdict depart to count, given all that is judged?

``pages_per_week / tests per week`` is the probability that a single verdict may have by chance
(Bonferroni over a week, so the expected false incidents stay within the budget). Where many
verdicts of one bucket depart at once, Benjamini and Hochberg's step (1995) lets the weaker
among them in: of what is told then, at most a twentieth is expected to be false.
"""

import math
from functools import lru_cache
from statistics import NormalDist

FALSE_SHARE = 0.05
_NORMAL = NormalDist()
_LEAST_TAIL = 1e-15


@lru_cache(maxsize=4096)
def opening_score(tests: int, pages: float) -> float:
    """The score from which a verdict counts when so many are made in a week.

    >>> round(opening_score(1_000_000, 5.0), 2), opening_score(1, 5.0)
    (4.56, 0.0)
    """
    tail = pages / max(tests, 1) / 2
    return -_NORMAL.inv_cdf(max(tail, _LEAST_TAIL)) if tail < 1 / 2 else 0.0


def discovered(score: float, discoveries: int, tests: int) -> bool:
    """Whether a verdict counts beside so many others of its bucket that depart.

    >>> discovered(4.0, 200, 100_000), discovered(4.0, 1, 100_000)
    (True, False)
    """
    tail = math.erfc(abs(score) / math.sqrt(2))
    return tail <= FALSE_SHARE * discoveries / max(tests, 1)


def expected_false_pages(kpis: int, threshold: float, pages: float) -> float:
    """False incidents a week to be expected of so many daily KPIs.

    >>> round(expected_false_pages(10_000, 4.5, 5.0), 2), expected_false_pages(10**7, 4.5, 5.0)
    (0.48, 5.0)
    """
    return min(7 * kpis * math.erfc(threshold / math.sqrt(2)), pages)
