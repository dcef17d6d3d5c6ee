"""The common factor: by how much all shops together differ from what was expected of them.

On a holiday or a shared sale day many shops move alike. That is no departure of any of them,
so a volume on such a day is judged against ``expected * factor`` as well. The factor is taken
from the shops that are closed together, before any of them learns.
"""

import math
from collections.abc import Sequence
from statistics import median

import msgspec

LEAST_SHOPS = 30
"""Shops from which a common factor is taken."""

_LEAST_EXPECTED = 3.0
_LEAST_SHIFT = 0.08
_STANDARD_ERRORS = 4.0
_TO_SIGMA = 1.4826
_OF_MEDIAN = 1.2533


class Common(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What all shops have in common in one bucket.

    Attributes:
        factor: by which expectations are multiplied.
        spread: relative variance by which shops differ in it.
        planned: nothing is learned from such a day, since the calendar told it or since the
            shop itself departs.
        whose: in words, who has it in common.
    """

    factor: float = 1.0
    spread: float = 0.0
    planned: bool = False
    whose: str = "all shops together"

    @property
    def holds(self) -> bool:
        """Whether there is anything in common."""
        return self.factor != 1.0 or self.spread > 0 or self.planned


NONE = Common()


def of_shop(value: float, expected: float, *, unlearned: bool) -> Common:
    """What the segments of a shop have in common: by how much the shop itself differs.

    >>> of_shop(150.0, 100.0, unlearned=False).factor
    1.4975...
    """
    factor = (value + 0.5) / (expected + 0.5)
    return Common(factor, 1 / (value + 1), planned=unlearned, whose="the whole shop")


def averaged(commons: Sequence[Common]) -> Common:
    """What several days have in common, for the week that they make.

    >>> averaged([NONE] * 6 + [Common(0.3, 0.07, planned=True)]).factor
    0.9
    """
    if not any(one.holds for one in commons):
        return NONE
    return Common(
        factor=sum(one.factor for one in commons) / len(commons),
        spread=sum(one.spread for one in commons) / len(commons),
        planned=any(one.planned for one in commons),
    )


class Ratio(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One shop's logarithm of counted / expected, and about the variance it should have."""

    log: float
    variance: float


def ratio_of(value: float, expected: float, overdispersion: float) -> Ratio | None:
    """A shop's part in the common factor; ``None`` where too little was expected."""
    if expected < _LEAST_EXPECTED:
        return None
    return Ratio(math.log((value + 0.5) / (expected + 0.5)), overdispersion + 1 / expected)


def common_factor(ratios: list[Ratio]) -> Common:
    """The factor of a bucket, where it is large and certain enough; else `NONE`.

    >>> common_factor([Ratio(math.log(0.5) + shop * 1e-3, 0.01) for shop in range(50)]).factor
    0.5124...
    >>> common_factor([Ratio(-0.7, 0.01)] * 10) == NONE
    True
    """
    if len(ratios) < LEAST_SHOPS:
        return NONE
    logs = [ratio.log for ratio in ratios]
    shift = median(logs)
    scale = _TO_SIGMA * median(abs(log - shift) for log in logs)
    error = _OF_MEDIAN * scale / math.sqrt(len(logs))
    if abs(math.expm1(shift)) < _LEAST_SHIFT or abs(shift) < _STANDARD_ERRORS * error:
        return NONE
    usual = median(ratio.variance for ratio in ratios)
    return Common(math.exp(shift), max(scale * scale - usual, 0.0))
