"""Unit faults: which transformation of the usual values explains the ones that came?

Usual values ``f`` and a share ``a`` of transformed ones ``g`` give the mixture
``(1 - a) f + a g``. For every hypothesis the share that makes the values likeliest is found,
and the hypotheses are ranked by how much likelier than without a fault they make them
(log-likelihood ratio, Wilks 1938). Distributions are the log-binned sketches of
`domain.sketch`, in which multiplying is shifting.
"""

from collections.abc import Mapping

import msgspec

from streamwatch.diagnosis.mixture import OUTLIERS, Hypothesis, Sketch, Values, density_of

LEAST_GAIN = 12.0
"""Log-likelihood that a hypothesis must gain to show a fault by itself: chance gives that
hardly ever, among many shops, days and hypotheses."""

NAMING_GAIN = 5.0
"""The same where the fault is known, and only its kind is asked for."""

LEAST_LEAD = 2.0
"""Log-likelihood by which the best must lead before it is named alone."""

CLOSE = 10.0
"""Log-likelihood behind the best from which a hypothesis is not worth telling."""

LEAST_SHARE = 0.002
"""Share of the values below which a hypothesis is not told."""

LEAST_FILLER = 0.02
"""The same for a filler: prices often have a favourite that comes and goes."""

FACTORS: dict[str, dict[str, float]] = {
    "height": {
        "inches for centimetres": 1 / 2.54,
        "centimetres taken for inches": 2.54,
        "feet for centimetres": 1 / 30.48,
        "metres for centimetres": 1 / 100,
        "ten times too large": 10.0,
        "ten times too small": 1 / 10,
    },
    "weight": {
        "pounds for kilograms": 1 / 0.45359237,
        "kilograms taken for pounds": 0.45359237,
        "stones for kilograms": 1 / 6.35029318,
        "grams for kilograms": 1000.0,
        "ten times too large": 10.0,
        "ten times too small": 1 / 10,
    },
    "age": {
        "months for years": 12.0,
        "ten times too large": 10.0,
        "ten times too small": 1 / 10,
    },
    "price": {
        "hundred times too large (cents)": 100.0,
        "hundred times too small": 1 / 100,
        "ten times too large": 10.0,
        "ten times too small": 1 / 10,
    },
    "quantity": {
        "hundred times too large": 100.0,
        "ten times too large": 10.0,
        "ten times too small": 1 / 10,
    },
}
"""Feature → what can go wrong with it, and what the right value is multiplied by."""

SWAPPED = {"height": "weight", "weight": "height"}


def hypotheses(
    feature: str, usual: Mapping[str, Sketch], now: Mapping[str, Sketch]
) -> list[Hypothesis]:
    """What may explain the values of now, the likeliest first; empty when nothing does.

    Args:
        feature: ``height``, ``price.EUR`` …
        usual: feature → sketch of its usual values.
        now: feature → sketch of the values to explain.

    >>> usual = {b: 10.0 for b in range(250, 260)}
    >>> inches = {b - 47: 3 for b in range(250, 260)}
    >>> hypotheses("height", {"height": usual}, {"height": inches})[0].name
    'inches for centimetres'
    """
    mine = Values.of(usual.get(feature, {}), now.get(feature, {}))
    if mine is None:
        return []
    found = [
        mine.fitted(name, mine.moved(factor), factor)
        for name, factor in FACTORS.get(feature.partition(".")[0], {}).items()
    ]
    found += [mine.filler(), mine.outliers()]
    other = SWAPPED.get(feature, "")
    theirs = Values.of(usual.get(other, {}), now.get(other, {}))
    if theirs is not None:
        found.append(_swapped(f"{feature} and {other} swapped", mine, theirs, usual, feature))
    better = [one for one in found if one.gain >= NAMING_GAIN and one.share >= _least(one)]
    ranked = sorted(better, key=lambda one: -one.gain)
    return [one for one in ranked if ranked[0].gain - one.gain < CLOSE]


def best(found: list[Hypothesis]) -> Hypothesis | None:
    """The hypothesis that can be named: the first, if it leads clearly."""
    if not found or found[0].name == OUTLIERS:
        return None
    if len(found) > 1 and found[0].gain - found[1].gain < LEAST_LEAD:
        return None
    return found[0]


def _least(one: Hypothesis) -> float:
    return LEAST_FILLER if one.value else LEAST_SHARE


def _swapped(
    name: str, mine: Values, theirs: Values, usual: Mapping[str, Sketch], feature: str
) -> Hypothesis:
    """Two fields changed places: then each must hold the usual values of the other."""
    other = SWAPPED[feature]
    here = mine.fitted(name, density_of(usual[other], mine.low, mine.width), 0.0)
    there = density_of(usual[feature], theirs.low, theirs.width)
    gain = here.gain + theirs.gain(there, here.share)
    return msgspec.structs.replace(here, gain=gain)
