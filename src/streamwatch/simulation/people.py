"""The shoppers: who comes, what their bodies measure, which size fits them.

A shopper's body is a function of the shop and the shopper's number, so that one who comes
again measures the same. Even numbers are women, odd numbers men.
"""

import numpy as np

from streamwatch.simulation.chance import Floats, Ints, lots, normal_lots
from streamwatch.simulation.fleet import Fleet

_HEIGHT_MEAN, _HEIGHT_SD = np.array([166.0, 179.5]), np.array([6.5, 7.0])
_BMI_MEAN, _BMI_SPREAD = np.array([24.8, 26.3]), np.array([0.16, 0.14])
# Kilograms per metre of height at which the next size begins, for women and men.
_SIZE_LIMITS = np.array([[33.0, 37.0, 41.5, 46.5, 53.0], [38.0, 42.0, 46.5, 51.5, 58.0]])
_AGE_SPREAD = 0.3


def choose_shoppers(fleet: Fleet, shop: Ints, day: int, rng: np.random.Generator) -> Ints:
    """The shopper of each visit: mostly known ones, some of them often, and some new."""
    day_men = fleet.men + rng.normal(0.0, 0.015, len(fleet.men))
    is_man = rng.random(len(shop)) < day_men[shop]
    known = fleet.size * (15.0 + 0.3 * (day + fleet.settings.history_days)) + 10.0
    place = np.floor(known[shop] * rng.random(len(shop)) ** 1.5).astype(np.int64)
    return 2 * place + is_man


def bodies(fleet: Fleet, shop: Ints, shopper: Ints) -> tuple[Floats, Floats, Floats]:
    """Height in cm, weight in kg and age in years of each shopper, unrounded."""
    seed = fleet.settings.seed * 16
    gender = shopper % 2
    height = _HEIGHT_MEAN[gender] + _HEIGHT_SD[gender] * normal_lots(seed + 1, shop, shopper)
    height = np.clip(height + fleet.height_offset[shop], 140.0, 212.0)
    spread = _BMI_SPREAD[gender] * normal_lots(seed + 3, shop, shopper)
    bmi = np.clip(_BMI_MEAN[gender] * np.exp(spread), 16.0, 48.0)
    weight = bmi * fleet.weight_factor[shop] * (height / 100) ** 2
    age = fleet.age_mean[shop] * np.exp(_AGE_SPREAD * normal_lots(seed + 5, shop, shopper))
    return height, weight, np.clip(age, 16.0, 90.0)


def declared(values: Floats, day_shift: Floats, rng: np.random.Generator) -> Floats:
    """What people type: whole numbers, a little off, with a small shift common to the day."""
    return np.round(values + day_shift + rng.normal(0.0, 0.6, len(values)))


def fitting_size(height: Floats, weight: Floats, gender: Ints) -> Ints:
    """Index into the sizes XS to XXL, by weight per metre of height.

    >>> fitting_size(np.array([166.0]), np.array([62.0]), np.array([0])).tolist()
    [2]
    """
    girth = weight / (height / 100)
    sizes: Ints = (girth[:, None] >= _SIZE_LIMITS[gender]).sum(axis=1)
    return sizes


def preferred_fit(fleet: Fleet, shop: Ints, shopper: Ints) -> Ints:
    """Index into tight, regular and loose; a lasting taste of the shopper."""
    taste = lots(fleet.settings.seed * 16 + 7, shop, shopper)
    return np.digitize(taste, [0.2, 0.75]).astype(np.int64)
