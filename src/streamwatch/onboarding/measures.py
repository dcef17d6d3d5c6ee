"""Units of body measures, told from where their values lie."""

from collections.abc import Sequence

import numpy as np

from streamwatch.onboarding.columns import Column

HEIGHTS = {"cm": (120, 220), "in": (47, 87), "m": (1.2, 2.2), "mm": (1_200, 2_200), "ft": (4, 7.2)}
"""Unit → where nearly all heights of people from school age on lie."""

WEIGHTS = {"kg": (30, 180), "lb": (66, 400), "g": (30_000, 180_000), "st": (4.7, 28.5)}
_CENTRES = {"cm": 170, "in": 67, "m": 1.7, "mm": 1_700, "ft": 5.6,
            "kg": 72, "lb": 159, "g": 72_000, "st": 11.3}  # fmt: skip
RANGES = {"height": HEIGHTS, "weight": WEIGHTS}
FEET_AND_INCHES = "ft+in"
LEAST_OF_SHOP = 20
"""Values of a shop from which its own unit is asked."""

_LEAST_INSIDE = 0.5


def unit_of(values: "np.ndarray[tuple[int], np.dtype[np.float64]]", feature: str) -> str | None:
    """The unit in which a height or weight is written; ``None`` if the values fit none.

    Of the units whose range holds most values, the one whose usual median is nearest, by ratio.

    >>> unit_of(np.array([64.0, 67.5, 71.0]), "height"), unit_of(np.array([140.0, 165]), "weight")
    ('in', 'lb')
    """
    finite = values[np.isfinite(values) & (values > 0)]
    if not len(finite):
        return None
    inside = {
        unit: float(((finite >= low) & (finite <= high)).mean())
        for unit, (low, high) in RANGES[feature].items()
    }
    most = max(inside.values())
    if most < _LEAST_INSIDE:
        return None
    median = float(np.median(finite))
    fitting = [unit for unit, share in inside.items() if share > most - 0.1]
    return min(fitting, key=lambda unit: abs(np.log(median / _CENTRES[unit])))


def inside(column: Column, feature: str, unit: str) -> float:
    """Share of a column's numbers that lie in a unit's usual range."""
    low, high = RANGES[feature][unit]
    finite = column.numbers[np.isfinite(column.numbers)]
    return float(((finite >= low) & (finite <= high)).mean()) if len(finite) else 0.0


def other_units(
    column: Column, shops: Sequence[object], feature: str, unit: str
) -> dict[str, tuple[str, float]]:
    """Shop → its own unit and median, where that is not the unit of them all."""
    by_shop: dict[str, list[float]] = {}
    for shop, value in zip(shops, column.numbers, strict=True):
        if shop is not None and np.isfinite(value):
            by_shop.setdefault(str(shop), []).append(float(value))
    found = {}
    for shop, values in by_shop.items():
        own = unit_of(np.array(values), feature) if len(values) >= LEAST_OF_SHOP else unit
        if own is not None and own != unit:
            found[shop] = (own, float(np.median(values)))
    return found
