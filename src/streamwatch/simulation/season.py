"""How many shoppers come on a day: growth, weekday, holidays, sales and chance."""

import datetime as dt

import numpy as np

from streamwatch.simulation.chance import Floats, Ints, generator, lots
from streamwatch.simulation.fleet import Fleet

_HOLIDAYS = {
    (1, 1), (1, 6), (5, 1), (8, 15), (10, 3), (11, 1), (12, 24), (12, 25), (12, 26), (12, 31),
}  # fmt: skip
_FRIDAY = 4
_SALE_SALT = 101


def is_holiday(day: dt.date) -> bool:
    """Whether most shops keep the day.

    >>> is_holiday(dt.date(2026, 12, 25)), is_holiday(dt.date(2026, 9, 1))
    (True, False)
    """
    return (day.month, day.day) in _HOLIDAYS


def is_shared_sale(day: dt.date) -> bool:
    """Whether all shops have a sale: the last Fridays of March, September and November.

    >>> is_shared_sale(dt.date(2026, 11, 27)), is_shared_sale(dt.date(2026, 11, 20))
    (True, False)
    """
    last_week = (day + dt.timedelta(days=7)).month != day.month
    return day.month in (3, 9, 11) and day.weekday() == _FRIDAY and last_week


def expected_visits(fleet: Fleet, day: int) -> Floats:
    """Expected widget events of each shop on a day (0 is the first of the simulation)."""
    settings = fleet.settings
    date = settings.start + dt.timedelta(days=day)
    expected = fleet.size * fleet.weekday[:, date.weekday()] * np.exp(fleet.growth * day / 365)
    if is_holiday(date):
        expected = expected * fleet.holiday
    shops = np.arange(settings.shops)
    days = np.full(settings.shops, date.toordinal())
    on_sale = lots(settings.seed + _SALE_SALT, shops, days) < settings.sale_rate
    if is_shared_sale(date) and settings.sale_rate > 0:
        on_sale[:] = True
    strength = 1.3 + 0.9 * lots(settings.seed + _SALE_SALT + 1, shops, days)
    return np.where(on_sale, expected * strength, expected)


def visits(fleet: Fleet, day: int) -> Ints:
    """Widget events of each shop on a day: Poisson around a gamma-distributed level."""
    rng = generator(fleet.settings.seed, "visits", day + 100_000)
    shape = fleet.dispersion**-2
    level = rng.gamma(shape, 1 / shape)
    return rng.poisson(expected_visits(fleet, day) * level)
