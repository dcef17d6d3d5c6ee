"""Evidence that a share has risen, summed up record by record: may be looked at at any time.

Wald's sequential likelihood-ratio test (1945) of "far more often" against "as usual", with the sum
kept from falling below zero, so that it begins anew wherever a fault may begin (Page 1954).
"""

import math

SURE = math.log(1e6)
"""Sum from which a share is taken to have risen: a million to one."""

_LEAST_ALTERNATIVE = 0.3
_TIMES = 5.0
_MOST_ALTERNATIVE = 0.95
_LEAST_RATE = 0.002
_MOST_RATE = 0.7
"""What is as frequent as this cannot become far more frequent; its day tells."""


def evidence_of_rise(rate: float, hits: int, n: int) -> float:
    """Logarithm of the likelihood ratio of "far more often" to "as usual".

    >>> evidence_of_rise(0.01, 6, 6) > SURE, evidence_of_rise(0.01, 1, 100) < 0
    (True, True)
    >>> evidence_of_rise(1.0, 300, 300)  # a field that was never sent: nothing can be lost
    0.0
    """
    if rate > _MOST_RATE:
        return 0.0
    usual = max(rate, _LEAST_RATE)
    other = min(max(_LEAST_ALTERNATIVE, _TIMES * usual), _MOST_ALTERNATIVE)
    absent = (n - hits) * math.log((1 - other) / (1 - usual))
    return hits * math.log(other / usual) + absent
